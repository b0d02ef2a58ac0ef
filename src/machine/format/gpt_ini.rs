//! Edits the file `gpt.ini` of a Group Policy object (GPO), which contains the GPO's version and the names of the
//! extensions that process the GPO.
//!
//! By default, Windows processes a `Registry.pol` again only if the version in `gpt.ini` differs from the version that
//! it processed last, and only if `gpt.ini` names the registry extension. So a program that changes the policy file
//! must increase the version.
//!
//! The file is edited as an INI file. All other lines stay as they are; a line end that is missing at the end of the
//! file may be added.
//!
//! Source: Microsoft, \[MS-GPOL\] 2.2.4, 2.2.6 and 3.3.5.4 (version; names of extensions), \[MS-GPREG\] 1.9 (the
//! extension's identifier). The identifiers of the editor of administrative templates are those that Salt and winkit
//! also write; no specification was found that contains them.

/// One of the two halves of a Group Policy object: settings for the machine, or for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The half for the machine: `Machine\Registry.pol`, with settings below HKLM.
    Machine,
    /// The half for users: `User\Registry.pol`, with settings below HKCU.
    User,
}

impl Side {
    fn extensions(self) -> &'static str {
        match self {
            Self::Machine => "gPCMachineExtensionNames",
            Self::User => "gPCUserExtensionNames",
        }
    }

    /// Returns the text that the list of extensions of this half needs: the identifiers of the registry extension and
    /// of the editor of administrative templates.
    fn registry(self) -> &'static str {
        match self {
            Self::Machine => "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]",
            Self::User => "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F73-3407-48AE-BA88-E8213C6761F1}]",
        }
    }
}

/// The identifier of the extension that processes `Registry.pol`.
const REGISTRY: &str = "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";

/// The reason why kbfix cannot read or edit a `gpt.ini`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GptIniError {
    /// The file is in UTF-16, or contains a NUL byte.
    #[error("the file is in UTF-16 or contains a NUL byte; expected ANSI text, as Windows writes gpt.ini")]
    Utf16,
    /// The text after `Version=` in the file is not a number from 0 to 4294967295.
    #[error("line {line}: expected a version number from 0 to 4294967295, found `{found}`")]
    Version {
        /// The line, from 1.
        line: usize,
        /// The first 40 characters of the text that was found.
        found: String,
    },
}

/// Returns the version of the machine half, and then that of the user half. A missing version counts as zero.
///
/// `bytes` is the content of `gpt.ini`.
///
/// # Errors
///
/// Returns [`GptIniError`] if the file or the version in it cannot be read.
pub fn versions(bytes: &[u8]) -> Result<(u16, u16), GptIniError> {
    let version = File::read(bytes)?.version()?;
    Ok((version as u16, (version >> 16) as u16))
}

/// Returns the reason in `gpt.ini` why Windows does not process the policy file of the half `side`; `None` if `gpt.ini`
/// contains no such reason.
///
/// `bytes` is the content of `gpt.ini`.
///
/// # Errors
///
/// Returns [`GptIniError`] if the file or the version in it cannot be read. It is then not known whether Windows
/// processes the policy file.
pub fn unprocessed(bytes: &[u8], side: Side) -> Result<Option<String>, GptIniError> {
    let file = File::read(bytes)?;
    let version = file.version()?;
    let (half, name) = match side {
        Side::Machine => (version & 0xFFFF, "machine"),
        Side::User => (version >> 16, "user"),
    };
    if half == 0 {
        let why = format!("the version number for the {name} settings is 0, which means that there are none");
        return Ok(Some(why));
    }
    let named = file.value(side.extensions()).is_some_and(|(_, value)| value.to_ascii_uppercase().contains(REGISTRY));
    Ok((!named).then(|| format!("the setting {} does not name the extension for registry settings", side.extensions())))
}

/// Returns the file with the version of the half `side` increased by one. Also adds the registry extension to the list
/// of extensions of this half, if the list lacks it.
///
/// `bytes` is the content of `gpt.ini`; if it is empty, the result is the content of a new file. After the highest
/// version, 65535, comes 1.
///
/// # Errors
///
/// Returns [`GptIniError`] if the file or the version in it cannot be read.
pub fn raise(bytes: &[u8], side: Side) -> Result<Vec<u8>, GptIniError> {
    let mut file = File::read(bytes)?;
    let version = file.version()?;
    // Zero means that the half is empty, so the number after the highest one is 1.
    let next = |half: u32| (half + 1).max(1) % 0x1_0000 + u32::from(half == 0xFFFF);
    let raised = match side {
        Side::Machine => version & 0xFFFF_0000 | next(version & 0xFFFF),
        Side::User => next(version >> 16) << 16 | version & 0xFFFF,
    };
    let named = file.value(side.extensions()).map(|(_, value)| value.to_owned()).unwrap_or_default();
    if !named.to_ascii_uppercase().contains(REGISTRY) {
        file.set(side.extensions(), &with_registry(&named, side));
    }
    file.set("Version", &raised.to_string());
    Ok(file.lines.concat())
}

/// Returns `named`, a list of extensions that is sorted by identifier, with the registry extension inserted.
fn with_registry(named: &str, side: Side) -> String {
    let mut groups: Vec<&str> = named.split_inclusive(']').map(str::trim).filter(|group| !group.is_empty()).collect();
    let at =
        groups.iter().position(|group| group.to_ascii_uppercase().as_str() > side.registry()).unwrap_or(groups.len());
    groups.insert(at, side.registry());
    groups.concat()
}

/// The lines of a `gpt.ini`, each with its line end.
struct File {
    lines: Vec<Vec<u8>>,
    /// The indices of the lines of the section `[General]`, without its header and without the empty lines at its end.
    /// New lines are inserted at the end of this range.
    section: std::ops::Range<usize>,
}

impl File {
    fn read(bytes: &[u8]) -> Result<Self, GptIniError> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || bytes.contains(&0) {
            return Err(GptIniError::Utf16);
        }
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let head = |line: &Vec<u8>| line.trim_ascii_start().starts_with(b"[");
        let general = |line: &Vec<u8>| line.trim_ascii().eq_ignore_ascii_case(b"[general]");
        let Some(at) = lines.iter().position(general) else {
            if let Some(last) = lines.last_mut().filter(|line| !line.ends_with(b"\n")) {
                last.extend(b"\r\n");
            }
            lines.push(b"[General]\r\n".to_vec());
            let end = lines.len();
            return Ok(Self { lines, section: end..end });
        };
        let mut end = lines[at + 1..].iter().position(head).map_or(lines.len(), |length| at + 1 + length);
        while end > at + 1 && lines[end - 1].trim_ascii().is_empty() {
            end -= 1;
        }
        Ok(Self { lines, section: at + 1..end })
    }

    /// Returns the index of the line that sets `name`, and its value; `None` if no line sets the name. If several lines
    /// do, the first one counts, as in Windows.
    fn value(&self, name: &str) -> Option<(usize, &str)> {
        self.section.clone().find_map(|at| {
            let (found, value) = std::str::from_utf8(&self.lines[at]).ok()?.split_once('=')?;
            found.trim().eq_ignore_ascii_case(name).then_some((at, value.trim()))
        })
    }

    fn version(&self) -> Result<u32, GptIniError> {
        let Some((at, text)) = self.value("Version") else { return Ok(0) };
        text.parse().map_err(|_| GptIniError::Version { line: at + 1, found: text.chars().take(40).collect() })
    }

    fn set(&mut self, name: &str, value: &str) {
        match self.value(name) {
            Some((at, _)) => {
                let line = &self.lines[at];
                let end = line.trim_ascii_end().len();
                let begin = line.iter().position(|byte| *byte == b'=').map_or(0, |at| at + 1);
                self.lines[at] = [&line[..begin], value.as_bytes(), &line[end.max(begin)..]].concat();
            }
            None => {
                if let Some(last) = self.section.end.checked_sub(1).map(|at| &mut self.lines[at])
                    && !last.ends_with(b"\n")
                {
                    last.extend(b"\r\n");
                }
                self.lines.insert(self.section.end, format!("{name}={value}\r\n").into_bytes());
                self.section.end += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]";

    fn raised(before: &str, side: Side) -> String {
        String::from_utf8(raise(before.as_bytes(), side).unwrap()).unwrap()
    }

    #[test]
    fn a_missing_file_is_made() {
        let made = raised("", Side::Machine);
        assert_eq!(made, format!("[General]\r\ngPCMachineExtensionNames={MACHINE}\r\nVersion=1\r\n"));
        assert_eq!(versions(made.as_bytes()), Ok((1, 0)));
        assert_eq!(versions(raised(&made, Side::User).as_bytes()), Ok((1, 1)));
        assert_eq!(versions(b""), Ok((0, 0)));
    }

    #[test]
    fn the_machine_has_the_low_word_and_the_user_the_high_one() {
        let file = |version: u32| format!("[General]\r\nVersion={version}\r\n");
        let after = |version, side| versions(raised(&file(version), side).as_bytes()).unwrap();
        assert_eq!(after(0x0007_0003, Side::Machine), (4, 7));
        assert_eq!(after(0x0007_0003, Side::User), (3, 8));
        assert_eq!(after(0x0007_FFFF, Side::Machine), (1, 7));
        assert_eq!(after(0xFFFF_0003, Side::User), (3, 1));
        assert_eq!(after(0x0007_FFFE, Side::Machine), (0xFFFF, 7));
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let before = format!(
            "; a comment\n[general]\n version = 5 \ndisplayName=Richtlinie\ngpcmachineextensionnames={MACHINE}\n\n[Other]\nVersion=1"
        );
        let after = before.replace("version = 5 \n", "version =6 \n");
        assert_eq!(raised(&before, Side::Machine), after);
        assert_eq!(
            raised("[Other]\nVersion=9", Side::Machine).split("[General]").next(),
            Some("[Other]\nVersion=9\r\n")
        );
        assert!(raised("[General]", Side::User).starts_with("[General]\r\ngPCUserExtensionNames=["));
        let bytes = raise(b"[General]\r\nname=\xE9\r\nVersion=1\r\n", Side::Machine).unwrap();
        assert!(bytes.starts_with(b"[General]\r\nname=\xE9\r\nVersion=2\r\n"));
    }

    #[test]
    fn the_extension_is_named_in_order() {
        let scripts = "[{42B5FAAE-6536-11D2-AE5A-0000F87571E3}{40B6664F-4972-11D1-A7CA-0000F87571E3}]";
        let audit = "[{0F3F3735-573D-9804-99E4-AB2A69BA5FD4}{A}]";
        let after = raised(&format!("[General]\r\ngPCMachineExtensionNames={audit}{scripts}\r\n"), Side::Machine);
        assert!(after.contains(&format!("={audit}{MACHINE}{scripts}\r\n")), "{after}");
    }

    #[test]
    fn a_file_that_windows_does_not_process_is_told() {
        let made = raise(b"", Side::Machine).unwrap();
        assert_eq!(unprocessed(&made, Side::Machine), Ok(None));
        let says = |bytes: &[u8], side| unprocessed(bytes, side).unwrap().unwrap();
        assert_eq!(
            says(&made, Side::User),
            "the version number for the user settings is 0, which means that there are none"
        );
        assert_eq!(
            says(b"", Side::Machine),
            "the version number for the machine settings is 0, which means that there are none"
        );
        assert!(
            says(b"[General]\r\nVersion=1\r\n", Side::Machine)
                .contains("does not name the extension for registry settings")
        );
        let wrong = GptIniError::Version { line: 2, found: "x".to_owned() };
        assert_eq!(unprocessed(b"[General]\r\nVersion=x\r\n", Side::Machine), Err(wrong));
        assert_eq!(unprocessed(b"\xFF\xFE[\0", Side::Machine), Err(GptIniError::Utf16));
    }

    #[test]
    fn what_cannot_be_read_is_not_replaced() {
        assert_eq!(raise(b"\xFF\xFE[\0", Side::Machine), Err(GptIniError::Utf16));
        let wrong = GptIniError::Version { line: 2, found: "five".to_owned() };
        assert_eq!(raise(b"[General]\r\nVersion=five\r\n", Side::Machine), Err(wrong));
        assert!(versions(b"[General]\nVersion=4294967296").is_err());
    }
}
