//! Imports a policy file, or text for LGPO.exe: executes its entries on a model of the registry keys.

use crate::{
    diag::{Code, Diagnostic, Hint},
    format::pol::{self, Entry, Instruction, TextEntry, TextError, TextErrorKind},
    registry::{KeyPath, notation},
};

use super::{
    File,
    keys::Keys,
    player::{Player, Step},
};

/// An entry of a policy: its line number (for a `Registry.pol`, the number of the entry, from 1), and its key with the
/// instruction for Group Policy. The error is the reason why kbfix cannot read the entry.
pub(super) type Line<'a> = (usize, Result<(&'a KeyPath, &'a Instruction), &'a str>);

/// Returns the entries of a `Registry.pol`, each with its number, from 1, in place of a line number.
pub(super) fn of_file(document: &pol::Document) -> impl Iterator<Item = Line<'_>> {
    (1..).zip(document.entries()).map(|(line, entry)| (line, read(entry)))
}

fn read(entry: &Entry) -> Result<(&KeyPath, &Instruction), &str> {
    Ok((entry.key()?, entry.instruction()?))
}

/// Returns the entries of a text for LGPO.exe, each with its line number.
pub(super) fn of_text(entries: &[TextEntry]) -> impl Iterator<Item = Line<'_>> {
    entries.iter().map(|entry| (entry.line, Ok((&entry.key, &entry.instruction))))
}

/// Executes the entries, and returns the final state of the keys. Adds a finding for each entry that kbfix cannot read
/// or a spec cannot express.
pub(super) fn play<'a>(
    entries: impl Iterator<Item = Line<'a>>,
    file: &File<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Keys {
    let mut player = Player::new(file, findings);
    for (order, (line, entry)) in entries.enumerate() {
        let (key, instruction) = match entry {
            Ok(entry) => entry,
            Err(why) => {
                let message = format!("kbfix cannot read this entry: {why}");
                let hint =
                    "Windows may still process this entry; remove it from the file, or restore the file from a backup";
                player.findings.push(Diagnostic::error(Code::POLICY_FILE, message).at(file.place(line)).hint(hint));
                continue;
            }
        };
        if let Instruction::DeleteKeys(keys) = instruction {
            for key in keys {
                let named = player.named(key, line, order, true);
                player.delete_key(named);
            }
            continue;
        }
        let named = player.named(key, line, order, false);
        match instruction {
            Instruction::Set { name, data } => player.value(&named, name, Step::Set(data.clone()), line),
            Instruction::Soft { name, data } => player.value(&named, name, Step::SetIfAbsent(data.clone()), line),
            Instruction::Delete(name) => player.value(&named, name, Step::Delete, line),
            Instruction::DeleteValues(names) => {
                names.iter().for_each(|name| player.value(&named, name, Step::Delete, line));
            }
            Instruction::DeleteAllValues => player.delete_values(&named),
            Instruction::CreateKey => player.create_key(&named),
            Instruction::SecureKey => {
                let message = format!("a spec cannot express that the permissions of {key} change (`**SecureKey`)");
                let hint = "make a copy of the policy without these permissions, and import the file of the copy; mention the \
                    permissions under `manual_steps` in the spec";
                let finding = Diagnostic::error(Code::POLICY_SECURE_KEY, message).at(file.place(line));
                player.findings.push(finding.hint(hint));
            }
            Instruction::Unknown(name) => {
                let message = format!("kbfix does not know the instruction `{}` for {key}", notation::one_line(name));
                let hint = "make a copy of the policy without this entry, and import the file of the copy; mention the entry \
                    under `notes` in the spec";
                player.findings.push(Diagnostic::error(Code::POLICY_FILE, message).at(file.place(line)).hint(hint));
            }
            Instruction::Comment(_) | Instruction::DeleteKeys(_) => {}
        }
    }
    player.into_keys()
}

/// Returns each entry of a `Registry.pol` as one line of text, for messages about this entry.
pub(super) fn lines(document: &pol::Document) -> Vec<String> {
    let line = |entry: &Entry| match read(entry) {
        Ok((key, instruction)) => {
            let name = |name| notation::value_name(name);
            let what = match instruction {
                Instruction::Set { name: of, .. } => name(of),
                Instruction::Soft { name: of, .. } => format!("**soft. {}", name(of)),
                Instruction::Delete(of) => format!("**del. {}", name(of)),
                Instruction::DeleteValues(_) => "**DeleteValues".to_owned(),
                Instruction::DeleteAllValues => "**DelVals.".to_owned(),
                Instruction::DeleteKeys(_) => "**DeleteKeys".to_owned(),
                Instruction::CreateKey => String::new(),
                Instruction::SecureKey => "**SecureKey".to_owned(),
                Instruction::Unknown(name) => notation::one_line(name),
                Instruction::Comment(_) => "**Comment".to_owned(),
            };
            format!("[{key}] {what}").trim_end().to_owned()
        }
        // The message says why. The entry has no text that could be shown.
        Err(_) => String::new(),
    };
    document.entries().map(line).collect()
}

/// Converts the errors of a text for LGPO.exe to diagnostics.
pub(super) fn refused(errors: &[TextError], file: &File<'_>) -> Vec<Diagnostic> {
    let finding = |error: &TextError| {
        let code = match error.kind {
            TextErrorKind::TooLarge => Code::REG_TOO_LARGE,
            TextErrorKind::Encoding | TextErrorKind::CodePage => Code::REG_CODE_PAGE,
            TextErrorKind::Syntax | TextErrorKind::Unsupported => Code::POLICY_FILE,
        };
        let hint = match error.kind {
            TextErrorKind::CodePage => Hint::new(error.kind.hint()).option("code-page", "N"),
            kind => kind.hint().into(),
        };
        Diagnostic::error(code, error.to_string()).at(file.place(error.line)).hint(hint)
    };
    errors.iter().map(finding).collect()
}
