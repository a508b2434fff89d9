//! The text of a crontab with and without our block. Bytes, because a person's lines need not be UTF-8.

fn begin(instance: &str) -> String {
    format!("# BEGIN oc-guardian {instance}")
}

fn end(instance: &str) -> String {
    format!("# END oc-guardian {instance}")
}

/// A line with its newline, as far as it has one.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

fn is(line: &[u8], mark: &str) -> bool {
    line.trim_ascii() == mark.as_bytes()
}

/// Whether a mark of the instance is there, whole block or not.
#[must_use]
pub fn mentions(text: &[u8], instance: &str) -> bool {
    let (begin, end) = (begin(instance), end(instance));
    lines(text).any(|line| is(line, &begin) || is(line, &end))
}

/// The lines between the marks; `None` unless there is exactly one whole block.
pub(super) fn find(text: &[u8], instance: &str) -> Option<Vec<u8>> {
    let (begin, end) = (begin(instance), end(instance));
    let (mut block, mut open, mut found) = (Vec::new(), false, 0);
    for line in lines(text) {
        if is(line, &begin) {
            if open {
                return None;
            }
            open = true;
            found += 1;
        } else if is(line, &end) {
            if !open {
                return None;
            }
            open = false;
        } else if open {
            block.extend_from_slice(line);
        }
    }
    (found == 1 && !open).then_some(block)
}

/// Without our blocks, stray marks, and lines of `block` that somebody left outside the marks.
pub(super) fn without(text: &[u8], instance: &str, block: &str) -> Vec<u8> {
    let (begin, end) = (begin(instance), end(instance));
    let all: Vec<&[u8]> = lines(text).collect();
    let mut kept = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(line) = all.get(at) {
        at += 1;
        if is(line, &begin) {
            // A mark whose end was deleted begins nothing: what follows may be a person's.
            let rest = all.get(at..).unwrap_or_default();
            let next = rest.iter().position(|line| is(line, &begin) || is(line, &end));
            if let Some(length) = next.filter(|n| rest.get(*n).is_some_and(|line| is(line, &end))) {
                at += length + 1;
            }
        } else if !is(line, &end) && !block.lines().any(|ours| !ours.is_empty() && is(line, ours.trim())) {
            kept.extend_from_slice(line);
        }
    }
    kept
}

/// With our block once: where it stood, else at the end.
pub(super) fn with(text: &[u8], instance: &str, block: &str) -> Vec<u8> {
    if find(text, instance).as_deref() == Some(block.as_bytes()) {
        return text.to_owned();
    }
    let begin = begin(instance);
    let before: Vec<u8> = lines(text)
        .take_while(|line| !is(line, &begin))
        .flatten()
        .copied()
        .collect();
    let after = text.get(before.len()..).unwrap_or_default();
    let mut whole = without(&before, instance, block);
    // Else our mark would become the end of a person's last line.
    if whole.last().is_some_and(|byte| *byte != b'\n') {
        whole.push(b'\n');
    }
    whole.extend_from_slice(format!("{begin}\n{block}{}\n", end(instance)).as_bytes());
    whole.extend_from_slice(&without(after, instance, block));
    // cron ignores, or refuses, a last line without its end.
    if whole.last() != Some(&b'\n') {
        whole.push(b'\n');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: &str = "*/3 * * * * /bin/oc-guardian ensure\n";

    fn put(text: &str) -> String {
        String::from_utf8(with(text.as_bytes(), "default", OURS)).unwrap()
    }

    fn take(text: &str) -> String {
        String::from_utf8(without(text.as_bytes(), "default", OURS)).unwrap()
    }

    fn block(inner: &str) -> String {
        format!("# BEGIN oc-guardian default\n{inner}# END oc-guardian default\n")
    }

    #[test]
    fn it_goes_to_the_end_and_is_replaced_where_it_stands() {
        assert_eq!(put(""), block(OURS));
        assert_eq!(put("a\nb"), format!("a\nb\n{}", block(OURS)));
        let older = format!("a\n{}b\r\n", block("old\n"));
        assert_eq!(put(&older), format!("a\n{}b\r\n", block(OURS)));
        assert_eq!(put(&put(&older)), put(&older));
        assert_eq!(find(older.as_bytes(), "default").unwrap(), b"old\n");
        assert_eq!(find(older.as_bytes(), "work"), None, "another instance's is not ours");
    }

    #[test]
    fn damaged_marks_cost_no_foreign_line() {
        let line = |text: &str| format!("{text}\n");
        for text in [
            format!("a\n# BEGIN oc-guardian default\n{OURS}b\n"),
            format!("a\n{OURS}# END oc-guardian default\nb\n"),
            format!("a\n# BEGIN oc-guardian default\n{}b\n", block(OURS)),
            format!("a\n{}{}b\n", block(OURS), block("older\n")),
        ] {
            assert_eq!(find(text.as_bytes(), "default"), None, "{text}");
            assert_eq!(take(&text), line("a") + &line("b"), "{text}");
            assert_eq!(take(&put(&text)), line("a") + &line("b"), "{text}");
            assert_eq!(
                find(put(&text).as_bytes(), "default").unwrap(),
                OURS.as_bytes(),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn other_lines_stay_byte_for_byte(mut text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let put = with(&text, "default", OURS);
            prop_assert_eq!(find(&put, "default").unwrap(), OURS.as_bytes());
            if text.last().is_some_and(|byte| *byte != b'\n') {
                text.push(b'\n');
            }
            prop_assert_eq!(without(&put, "default", OURS), text);
        }
    }
}
