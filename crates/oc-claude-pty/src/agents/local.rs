//! A local model behind a plain command: it reads prompt and evidence on stdin and answers in text, with the plan as JSON in
//! it. It costs nothing and reaches no network.

use super::Preset;
use serde_json::Value;

/// What is asked for when no model is configured.
pub(super) const MODEL: &str = "llama3.2";

pub(super) const PRESET: Preset = Preset {
    name: "local",
    program: "ollama",
    args: &["run", "{model}"],
    model: &[],
    environment: &["OLLAMA_HOST", "OLLAMA_MODELS"],
    fixed: |_| Vec::new(),
    read: None,
    by_stdin: true,
};

/// The last JSON object with `steps` in a text, wherever it stands.
pub(super) fn plan_in(answer: &str) -> Option<String> {
    answer.rmatch_indices('{').take(1000).find_map(|(at, _)| {
        let value = serde_json::Deserializer::from_str(&answer[at..])
            .into_iter::<Value>()
            .next()?
            .ok()?;
        value.get("steps")?.is_array().then(|| value.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_found_among_the_words() {
        let answer =
            "It is broken {really}.\n```json\n{\"steps\": [{\"verb\": \"restart\"}]}\n```\nGood luck {\"x\": 1}";
        assert_eq!(plan_in(answer).unwrap(), r#"{"steps":[{"verb":"restart"}]}"#);
        assert_eq!(plan_in("no plan { at all"), None);
    }
}
