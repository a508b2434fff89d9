//! A tool's man page, made from the definition of its command line. One page a tool, with its commands in it: at three in
//! the morning nobody knows that there might be an `oc-guardian-restart(1)`.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// The page, in roff.
///
/// A line of the command's `after_help` that starts at the margin and ends with a colon becomes a section; what follows is
/// kept as it is laid out.
#[must_use]
pub fn page(command: &Command) -> String {
    // One line a command instead of clap_mangen's list of all options.
    let mut command = command.clone().disable_help_subcommand(true);
    let forms = command.clone().flatten_help(true).render_usage().to_string();
    command = command.override_usage(forms.trim_start_matches("Usage: ").to_owned());
    let man = Man::new(command.clone());

    let mut page = Roff::new().render();
    // Not Man's own title: it leaves an empty date out, and the version is then taken for it.
    let version = command.get_version().unwrap_or_default();
    page += &format!(".TH {} 1 \"\" \"oc {version}\" \"oc\"\n", command.get_name());
    page += &section(|w| man.render_name_section(w));
    page += &section(|w| man.render_synopsis_section(w));
    if command.get_long_about().is_some() {
        page += &section(|w| man.render_description_section(w));
    }
    if command.has_subcommands() {
        page += &heading("SH", "COMMANDS");
        commands(&command, "", &mut page);
    }
    page += &section(|w| man.render_options_section(w));
    if let Some(text) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        after_help(&text.to_string(), &mut page);
    }
    page
}

fn commands(parent: &Command, prefix: &str, page: &mut String) {
    for command in parent.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = format!("{prefix}{}", command.get_name());
        let man = Man::new(command.clone().disable_help_flag(true));
        *page += &heading("SS", &name);
        *page += without_heading(&section(|w| man.render_description_section(w)));
        if command.get_arguments().any(|a| !a.is_hide_set()) {
            *page += without_heading(&section(|w| man.render_options_section(w)));
        }
        commands(command, &format!("{name} "), page);
    }
}

fn after_help(text: &str, page: &mut String) {
    let mut open = false;
    for line in text.lines() {
        match line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            Some(title) => {
                if std::mem::replace(&mut open, true) {
                    *page += ".fi\n";
                }
                *page += &heading("SH", &title.to_uppercase());
                *page += ".nf\n";
            }
            None => *page += &Roff::new().text([roman(line)]).to_roff(),
        }
    }
    if open {
        *page += ".fi\n";
    }
}

fn heading(kind: &str, title: &str) -> String {
    let mut roff = Roff::new();
    roff.control(kind, [title]);
    roff.to_roff()
}

/// What one of [`Man`]'s writers gives, without the lines about apostrophes that each begins with and a page needs once.
fn section(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    if write(&mut bytes).is_err() {
        return String::new(); // does not happen: this is memory
    }
    let text = String::from_utf8_lossy(&bytes);
    text.strip_prefix(&Roff::new().render()).unwrap_or(&text).to_owned()
}

fn without_heading(section: &str) -> &str {
    match section.split_once('\n') {
        Some((first, rest)) if first.starts_with(".SH ") => rest,
        _ => section,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction};

    fn tool() -> Command {
        Command::new("oc-thing")
            .version("1.2")
            .about("does a thing")
            .arg(Arg::new("json").long("json").global(true).action(ArgAction::SetTrue))
            .subcommand(
                Command::new("switch")
                    .about("switches it")
                    .subcommand(Command::new("on").about("on it goes").arg(Arg::new("for").long("for"))),
            )
            .subcommand(Command::new("secret").hide(true))
            .after_help("Exit codes:\n  0 good\n\nExamples:\n  .hidden ones")
    }

    #[test]
    fn one_page_has_every_command_with_its_own_options() {
        let page = page(&tool());
        assert!(page.contains(".SS \"switch on\"\non it goes\n"), "{page}");
        let own = page.split(".SS \"switch on\"").nth(1).unwrap();
        let own = own.split(".SH").next().unwrap();
        assert!(
            own.contains("\\-\\-for") && !own.contains("json") && !own.contains("help"),
            "{own}"
        );
        assert!(
            !page.contains("secret") && !page.contains("oc\\-thing\\-switch"),
            "{page}"
        );
    }

    #[test]
    fn headings_of_the_closing_text_are_sections_and_its_layout_stays() {
        let page = page(&tool());
        assert!(page.contains(".SH \"EXIT CODES\"\n.nf\n  0 good\n"), "{page}");
        assert!(page.ends_with(".SH EXAMPLES\n.nf\n  .hidden ones\n.fi\n"), "{page}");
    }

    #[test]
    fn the_title_names_tool_and_version_once() {
        let page = page(&tool());
        assert_eq!(page.matches(".TH ").count(), 1);
        assert_eq!(page.matches(".ie ").count(), 1);
        assert!(page.contains(".TH oc-thing 1 \"\" \"oc 1.2\" \"oc\"\n"), "{page}");
    }
}
