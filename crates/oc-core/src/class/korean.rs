//! What the classes are called in Korean, in messages and in reports alike.

use super::Class;

impl Class {
    /// The condition as a Korean person is told of it.
    #[must_use]
    pub const fn in_korean(self) -> &'static str {
        match self {
            Self::StoppedOnPurpose => "의도적으로 중지됨",
            Self::Maintenance => "점검 중",
            Self::Upgrading => "업그레이드 진행 중",
            Self::Inconclusive => "상태를 측정할 수 없음",
            Self::Draining => "종료 전 작업을 마무리하는 중",
            Self::Starting => "시작하는 중",
            Self::NewerConfig => "더 새로운 버전이 작성한 설정 파일",
            Self::StateDb => "상태 데이터베이스를 읽을 수 없음",
            Self::DiskFull => "디스크가 가득 참",
            Self::ForeignListener => "다른 프로그램이 포트를 사용 중",
            Self::ConfigMissing => "설정 파일이 없음",
            Self::ConfigInvalid => "설정 파일이 손상됨",
            Self::ExitConfig => "현재 설정으로는 시작을 거부함",
            Self::Auth => "로그인할 수 없음",
            Self::StartLimit => "서비스 관리자가 시작을 포기함",
            Self::Unregistered => "서비스 관리자에 등록되어 있지 않음",
            Self::CrashLoop => "시작하다가 계속 비정상 종료됨",
            Self::Hung => "연결은 되지만 응답이 없음",
            Self::ProcessGone => "프로세스가 사라짐",
            Self::Refused => "연결을 거부함",
            Self::HttpError => "오류로 응답함",
            Self::WrongBody => "예상과 다른 내용으로 응답함",
            Self::NotReady => "실행 중이지만 준비되지 않음",
            Self::SafeMode => "안전 모드로 실행 중(채널 중단됨)",
            Self::MemoryHigh => "메모리를 너무 많이 사용함",
            Self::MemoryLeak => "메모리가 계속 증가함",
            Self::Slow => "응답이 느림",
            Self::DeepFailed => "심층 점검 실패",
        }
    }
}
