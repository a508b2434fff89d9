//! The stand-in for the Messages API, asked as an agent asks it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::messages_api::{Failure, MessagesApi, Script, Turn};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

fn ask(api: &MessagesApi, path: &str, body: &Value) -> String {
    let address = api.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A conversation in which the model has answered `answers` times.
fn conversation(answers: usize, stream: bool) -> Value {
    let mut messages = vec![json!({"role": "user", "content": "Read /in/cident/prompt.md and follow it."})];
    for n in 0..answers {
        messages.push(json!({"role": "assistant", "content": format!("answer {n}")}));
        messages.push(json!({"role": "user", "content": [{"type": "tool_result", "content": "went well"}]}));
    }
    json!({"model": "m", "messages": messages, "tools": [{"name": "Read"}], "stream": stream})
}

fn message(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn the_answers_so_far_say_which_turn_is_due_so_that_a_retry_gets_the_same() {
    let script = r#"{"values": {"who": "me"}, "turns": [
        {"calls": [{"name": "Edit", "input": {"file_path": "{{dir:Read}}/work/x", "by": ["{{who}}"]}}]},
        {"text": "{{after:went}}, {{unknown}} {{ left alone"}]}"#;
    let api = MessagesApi::new(Script::parse(script).unwrap());
    for _ in 0..2 {
        let first = message(&ask(&api, "/v1/messages?beta=true", &conversation(0, false)));
        assert_eq!(first["stop_reason"], "tool_use");
        assert_eq!(
            first["content"][0]["input"],
            json!({"file_path": "/in/cident/work/x", "by": ["me"]})
        );
    }
    let second = message(&ask(&api, "/v1/messages", &conversation(1, false)));
    assert_eq!(second["stop_reason"], "end_turn");
    assert_eq!(second["content"][0]["text"], "well,  {{ left alone");
    assert_eq!(api.conversation().len(), 3);
    assert!(api.taken()[0].raw.contains("/in/cident/prompt.md"));
    assert!(Script::parse(r#"{"turns": [{"say": "typo"}]}"#).is_err());
}

#[test]
fn a_stream_has_the_events_of_the_real_one_and_the_whole_answer_in_them() {
    let turn = Turn {
        text: "I look.".into(),
        ..Turn::calls("Read", json!({"file_path": "/x"}))
    };
    let api = MessagesApi::new(Script::of([turn]));
    let answer = ask(&api, "/v1/messages", &conversation(0, true));
    let kinds: Vec<_> = answer.lines().filter_map(|l| l.strip_prefix("event: ")).collect();
    assert_eq!(
        kinds.join(" "),
        "message_start ping content_block_start content_block_delta content_block_stop \
         content_block_start content_block_delta content_block_stop message_delta message_stop"
    );
    assert!(
        answer.contains(r#""partial_json":"{\"file_path\":\"/x\"}""#),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n0\r\n\r\n"));
}

#[test]
fn a_failure_lasts_as_long_as_it_is_told_to() {
    let script = r#"{"turns": [{"fail": 529, "times": 2, "text": "here again"}]}"#;
    let api = MessagesApi::new(Script::parse(script).unwrap());
    for status in ["529", "529", "200"] {
        let answer = ask(&api, "/v1/messages", &conversation(0, false));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    for (failure, status, mark) in [
        ("401", 401, "authentication_error"),
        ("\"usage_limit\"", 429, "unified-status: rejected"),
        ("\"credit\"", 400, "credit balance is too low"),
    ] {
        api.play(Script::parse(&format!(r#"{{"turns": [{{"fail": {failure}}}]}}"#)).unwrap());
        // Also what an agent asks beside the conversation.
        for body in [conversation(0, true), json!({"messages": []})] {
            let answer = ask(&api, "/v1/messages", &body);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains(mark), "{answer}");
        }
    }
}

#[test]
fn a_cut_answer_has_no_end_streamed_or_not() {
    let turn = Turn {
        fail: Some(Failure::Cut),
        ..Turn::says("half of it")
    };
    let api = MessagesApi::new(Script::of([turn]));
    let stream = ask(&api, "/v1/messages", &conversation(0, true));
    assert!(
        stream.contains("message_start") && !stream.contains("message_stop"),
        "{stream}"
    );
    let plain = ask(&api, "/v1/messages", &conversation(0, false));
    let (head, body) = plain.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains(&format!("Content-Length: {}", body.len())), "{plain}");
}
