//! The bytes of an answer: one JSON object, or the events of a stream.

use super::Turn;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The message of a turn, as a request without `stream` gets it.
pub(super) fn message(turn: &Turn, request: &Value, input_tokens: usize) -> Value {
    let mut content = Vec::new();
    if !turn.text.is_empty() {
        content.push(json!({"type": "text", "text": turn.text}));
    }
    // Unique in the conversation: no two turns see the same number of messages.
    let at = request["messages"].as_array().map_or(0, Vec::len);
    for (n, call) in turn.calls.iter().enumerate() {
        content
            .push(json!({"type": "tool_use", "id": format!("toolu_{at}_{n}"), "name": call.name, "input": call.input}));
    }
    let estimate = content.iter().map(|block| block.to_string().len()).sum::<usize>() / 4;
    let output_tokens = turn.output_tokens.unwrap_or(estimate as u64);
    json!({
        "id": format!("msg_{at}"), "type": "message", "role": "assistant", "model": request["model"], "content": content,
        "stop_reason": if turn.calls.is_empty() { "end_turn" } else { "tool_use" }, "stop_sequence": null,
        "usage": {"input_tokens": input_tokens, "output_tokens": output_tokens,
                  "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
    })
}

/// An answer with a length.
pub(super) fn plain(status: u16, headers: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\
         request-id: req_stand_in\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// The message as a stream of events.
pub(super) fn stream(message: &Value) -> Vec<u8> {
    let mut bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\
                     Transfer-Encoding: chunked\r\nConnection: close\r\nrequest-id: req_stand_in\r\n\r\n"
        .to_owned();
    for event in events(message) {
        let kind = event["type"].as_str().unwrap_or_default();
        let text = format!("event: {kind}\ndata: {event}\n\n");
        _ = write!(bytes, "{:x}\r\n{text}\r\n", text.len());
    }
    bytes.push_str("0\r\n\r\n");
    bytes.into_bytes()
}

fn events(message: &Value) -> Vec<Value> {
    let mut start = message.clone();
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["usage"]["output_tokens"] = json!(1);
    let mut events = vec![
        json!({"type": "message_start", "message": start}),
        json!({"type": "ping"}),
    ];
    for (index, block) in message["content"].as_array().into_iter().flatten().enumerate() {
        let (begin, delta) = if block["type"] == "text" {
            (
                json!({"type": "text", "text": ""}),
                json!({"type": "text_delta", "text": block["text"]}),
            )
        } else {
            let mut begin = block.clone();
            begin["input"] = json!({});
            let input = block["input"].to_string();
            (begin, json!({"type": "input_json_delta", "partial_json": input}))
        };
        events.push(json!({"type": "content_block_start", "index": index, "content_block": begin}));
        events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": message["stop_reason"], "stop_sequence": null});
    events.push(json!({"type": "message_delta", "delta": delta, "usage": message["usage"]}));
    events.push(json!({"type": "message_stop"}));
    events
}
