//! Imports a `.reg` file: executes its lines on a model of the registry keys.

use crate::{
    diag::{Code, Diagnostic, Hint},
    format::reg::{Content, Document},
    registry::{Data, ValueType},
};

use super::{
    File,
    keys::Keys,
    player::{Player, Step},
};

/// Executes the lines of the `.reg` file, and returns the final state of the keys. Adds a finding for each line that
/// kbfix cannot read, and findings for what the author must check.
pub(super) fn play(document: &Document, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> Keys {
    let mut player = Player::new(file, findings);
    for (order, section) in document.sections().enumerate() {
        let line = section.line();
        let path = match section.key() {
            Ok(path) => path,
            Err(why) => {
                player.findings.push(unreadable(why, line, file));
                continue;
            }
        };
        let named = player.named(path, line, order, section.deletes());
        if section.has_ignored_text() {
            player.findings.push(ignored("the text after the `]` of the key", line, file));
        }
        if section.deletes() {
            if let Some(entry) = section.entries().next() {
                let what = format!("the lines below `[-{}]`", named.path);
                player.findings.push(ignored(&what, entry.line(), file));
            }
            player.delete_key(named);
            continue;
        }
        player.create_key(&named);
        for entry in section.entries() {
            let name = match entry.name() {
                Ok(name) => name,
                Err(why) => {
                    player.findings.push(unreadable(why, entry.line(), file));
                    continue;
                }
            };
            let step = match entry.content() {
                Content::Data(data) => Step::Set(terminated(data)),
                Content::Delete => Step::Delete,
                Content::Malformed(why) => {
                    player.findings.push(unreadable(why, entry.line(), file));
                    continue;
                }
            };
            if entry.has_line_break_escape() {
                let message = "the string contains `\\n` or `\\r`, which means a line break in a .reg file";
                let warning = Diagnostic::warning(Code::IMPORT_LINE_BREAK, message).at(file.place(entry.line()));
                player.findings.push(warning.hint("in a path, write each backslash twice"));
            }
            player.value(&named, name, step, entry.line());
        }
    }
    player.into_keys()
}

fn ignored(what: &str, line: usize, file: &File<'_>) -> Diagnostic {
    let hint = "check that the ignored text is not needed";
    Diagnostic::warning(Code::IMPORT_IGNORED, format!("regedit ignores {what}")).at(file.place(line)).hint(hint)
}

/// Returns the data as regedit stores it. regedit adds a final NUL to a REG_EXPAND_SZ or REG_MULTI_SZ that does not end
/// in one, unless the data is empty or has an odd number of bytes.
fn terminated(data: &Data) -> Data {
    let is_text = [ValueType::EXPAND_SZ, ValueType::MULTI_SZ].contains(&data.value_type);
    let lacks = is_text && data.bytes.len().is_multiple_of(2) && !matches!(data.bytes.as_slice(), [] | [.., 0, 0]);
    if lacks { Data::new(data.value_type, [data.bytes.as_slice(), &[0, 0]].concat()) } else { data.clone() }
}

fn unreadable(why: &str, line: usize, file: &File<'_>) -> Diagnostic {
    let hint = Hint::new(
        "export the key again as version 5, which is Unicode; or, if the file is not Unicode, give its code page",
    )
    .option("code-page", "N");
    Diagnostic::error(
        Code::IMPORT_UNREADABLE,
        format!(
            "this line cannot be read: \
        {why}"
        ),
    )
    .at(file.place(line))
    .hint(hint)
}
