//! A webhook whose certificate is not to be trusted gets nothing: the message waits, one sentence says why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use support::World;

/// A server with a certificate for `name` that it signed itself. Counts the requests that get through to it.
struct Server {
    port: u16,
    got: Arc<AtomicUsize>,
    _stop: mpsc::Sender<()>,
}

fn server(name: &str, expired: bool) -> Server {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(AtomicUsize::new(0));
    let (stop, stopped) = mpsc::channel::<()>();
    let count = Arc::clone(&got);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                return;
            }
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let mut byte = [0; 1];
            if matches!(tls.read(&mut byte), Ok(1)) {
                count.fetch_add(1, Ordering::SeqCst);
                drop(tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
            }
        }
    });
    Server { port, got, _stop: stop }
}

/// Each is signed by itself as well: HTTPS trusts the roots that are compiled in and no others, whatever SSL_CERT_FILE says,
/// so that an authority of a test's own cannot be trusted to tell "expired" and "of another host" apart from that.
#[test]
fn an_untrusted_certificate_gets_no_message_and_is_named_in_one_sentence() {
    for (name, expired, why) in [
        ("127.0.0.1", false, "signed by itself"),
        ("127.0.0.1", true, "expired"),
        ("hooks.example.com", false, "of another host"),
    ] {
        let server = server(name, expired);
        let url = format!("https://127.0.0.1:{}/hook/webhook-s3cret-t0ken", server.port);
        let world = World::with(&[], json!({"webhook": {"url": url}}));
        let out = world.notify(&["--json", "send", "--severity", "warning", "--title", "t", "--text", "x"]);
        let out = out.expect_code(2);
        let answer = out.json();
        let delivery = &answer["deliveries"][0];
        assert_eq!(
            (&delivery["ok"], &delivery["spooled"]),
            (&json!(false), &json!(true)),
            "{why}: {answer}"
        );
        let error = delivery["error"].as_str().unwrap();
        assert!(
            error.to_lowercase().contains("certificate") && error.lines().count() == 1,
            "{why}: {error}"
        );
        assert_eq!(world.waiting().len(), 1, "{why}");
        assert_eq!(
            server.got.load(Ordering::SeqCst),
            0,
            "{why}: not a byte of the message left us"
        );
        for text in [&out.stdout, &out.stderr] {
            assert!(!text.contains("s3cret"), "{why}: {text}");
        }
    }
}

#[test]
fn a_server_without_tls_on_a_tls_address_is_a_failure_like_any_other() {
    let world = World::new(&[]);
    let url = world
        .providers
        .url("/hook/webhook-s3cret-t0ken")
        .replace("http://", "https://");
    world
        .env
        .oc_config(&json!({"notify": {"webhook": {"url": url}, "timeout": "3s"}}));
    let out = world.notify(&["--json", "send", "--severity", "warning", "--title", "t", "--text", "x"]);
    let out = out.expect_code(2);
    assert_eq!(out.json()["deliveries"][0]["spooled"], true, "{}", out.stdout);
    assert!(!format!("{}{}", out.stdout, out.stderr).contains("s3cret"));
    assert!(world.providers.taken().is_empty());
}
