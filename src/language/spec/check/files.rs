//! Checks the paths and tests of files. A path must be absolute on the target. It can begin with a `{location}` or a
//! `%VARIABLE%`.

use std::collections::HashSet;

use crate::{
    diag::{
        Code,
        text::{shorten, suggest},
    },
    spec::{
        document::{self, PlatformName},
        model::{self, FilePattern, FileTest, HotfixFile, PathPart, PathVariable, VersionTest, next_variable},
    },
    version::Platform,
};

use super::{Context, Path, exactly_one, names, versions};

const VARIABLES: [(&str, PathVariable); 9] = [
    ("SystemRoot", PathVariable::SystemRoot),
    ("windir", PathVariable::SystemRoot),
    ("SystemDrive", PathVariable::SystemDrive),
    ("ProgramFiles", PathVariable::ProgramFiles),
    ("ProgramFiles(x86)", PathVariable::ProgramFilesX86),
    ("CommonProgramFiles", PathVariable::CommonProgramFiles),
    ("CommonProgramFiles(x86)", PathVariable::CommonProgramFilesX86),
    ("ProgramData", PathVariable::ProgramData),
    ("ALLUSERSPROFILE", PathVariable::ProgramData),
];

/// Parses the path of a file, and checks it. Returns `None` after reporting an error.
pub(super) fn file_path(cx: &mut Context<'_>, text: &str, path: &Path) -> Option<FilePattern> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut sound = true;
    while let Some((before, name, after)) = next_variable(rest) {
        sound &= with_variables(cx, before, path, &mut parts).is_some();
        sound &= location(cx, name, path);
        parts.push(PathPart::Location(name.to_owned()));
        rest = after;
    }
    sound &= with_variables(cx, rest, path, &mut parts).is_some();
    if !sound {
        return None;
    }
    match fault(&parts) {
        Some((message, hint)) => {
            cx.error(Code::FILE_PATH, path, format!("`{}` {message}", shorten(text)), hint);
            None
        }
        None => {
            text.split('\\').for_each(|name| names::check_in_path(cx, name, path, super::Part::Data));
            fixed_folder(cx, text, path);
            Some(FilePattern(parts))
        }
    }
}

/// Warns about a path with a fixed folder, such as `C:\Windows`, that has another drive or name on some machines.
fn fixed_folder(cx: &mut Context<'_>, text: &str, path: &Path) {
    const FOLDERS: [(&str, &str); 5] = [
        ("Windows", "%SystemRoot%"),
        ("WINNT", "%SystemRoot%"),
        ("Program Files", "%ProgramFiles%"),
        ("Program Files (x86)", "%ProgramFiles(x86)%"),
        ("ProgramData", "%ProgramData%"),
    ];
    let mut names = text.splitn(3, '\\');
    let (Some(drive), Some(folder), Some(rest)) = (names.next(), names.next(), names.next()) else { return };
    let known = FOLDERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(folder));
    if let Some((_, variable)) = known.filter(|_| drive.ends_with(':')) {
        let folder = format!(r"{drive}\{folder}");
        let message = format!("`{folder}` is on another drive, or has another name, on some machines");
        let hint = format!(r"write '{variable}\{}'", shorten(rest));
        cx.warning_within(Code::FIXED_FOLDER, path, super::Part::Data, &folder, message, hint);
    }
}

fn location(cx: &mut Context<'_>, name: &str, path: &Path) -> bool {
    if cx.locations.contains(name) {
        cx.used_locations.insert(name.to_owned());
        return true;
    }
    if cx.findings.only_counts() {
        return false;
    }
    let meant = suggest(name, cx.locations.iter().map(String::as_str)).map(str::to_owned);
    let hint = if cx.parameters.contains_key(name) {
        format!("`{name}` is a parameter, but the path of a file can contain only locations")
    } else {
        super::declare(meant.as_deref(), "locations", name)
    };
    cx.used_locations.extend(meant);
    cx.error_within(Code::UNKNOWN_LOCATION, path, name, format!("there is no location `{name}`"), hint);
    false
}

/// Splits `text` at each `%VARIABLE%`, and appends the pieces to `parts`. Returns `None` after reporting a variable
/// that kbfix does not know.
fn with_variables(cx: &mut Context<'_>, text: &str, path: &Path, parts: &mut Vec<PathPart>) -> Option<()> {
    let mut rest = text;
    let mut sound = true;
    while let Some((before, from_name)) = rest.split_once('%') {
        let Some((name, after)) = from_name.split_once('%') else { break };
        if !before.is_empty() {
            parts.push(PathPart::Text(before.to_owned()));
        }
        match VARIABLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, variable)) => parts.push(PathPart::Variable(*variable)),
            None => {
                let known = VARIABLES.iter().map(|(known, _)| *known);
                let hint = match suggest(name, known.clone()) {
                    Some(meant) => format!("did you mean `%{meant}%`?"),
                    None => {
                        format!("a path can have {}", known.map(|k| format!("%{k}%")).collect::<Vec<_>>().join(", "))
                    }
                };
                let message = format!("kbfix does not know the variable `%{}%`", shorten(name));
                cx.error_within(Code::UNKNOWN_VARIABLE, path, &format!("%{name}%"), message, hint);
                sound = false;
            }
        }
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(PathPart::Text(rest.to_owned()));
    }
    sound.then_some(())
}

/// Finds an error in the path of a file. Returns a description of the error and a hint; `None` if the path is valid.
fn fault(parts: &[PathPart]) -> Option<(&'static str, &'static str)> {
    const ABSOLUTE: &str = "begin the path with a drive such as `C:`, a location in braces such as `{exchange}`, or a \
        variable such as `%SystemRoot%`";
    let (first, rest) = parts.split_first().map_or((None, parts), |(first, rest)| (Some(first), rest));
    let mut texts = Vec::new();
    match first {
        None => return Some(("is empty", ABSOLUTE)),
        Some(PathPart::Text(text)) => {
            if text.contains('/') {
                return Some(("has slashes", "separate folders with backslashes"));
            }
            if text.starts_with(r"\\") {
                return Some(("begins with two backslashes, like a path on another machine", ABSOLUTE));
            }
            let drive = text.as_bytes();
            if !matches!(drive, [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic()) {
                return Some(("is not an absolute path", ABSOLUTE));
            }
            texts.push(&text[3..]);
        }
        Some(PathPart::Location(_) | PathPart::Variable(_)) => match rest.first() {
            Some(PathPart::Text(text)) if text.starts_with('\\') => {}
            _ => {
                return Some((
                    "has no backslash after the location or variable at its beginning",
                    "write a backslash there, and then the rest of the path of the file",
                ));
            }
        },
    }
    for part in rest {
        match part {
            PathPart::Text(text) => texts.push(text),
            PathPart::Location(_) | PathPart::Variable(_) => {
                return Some((
                    "has a location or variable in the middle",
                    "put a location or variable only at the beginning",
                ));
            }
        }
    }
    let below = texts.concat();
    let below = if parts.len() > 1 { below.strip_prefix('\\').unwrap_or(&below) } else { &below };
    if below.contains('/') {
        return Some(("has slashes", "separate folders with backslashes"));
    }
    if below.chars().any(|c| "<>:\"|?*".contains(c) || c.is_control()) {
        return Some((
            "contains a character that no file name can contain",
            "remove this character; the path must name one file",
        ));
    }
    let mut names = below.split('\\');
    if names.clone().any(|name| name == ".." || name == ".") {
        return Some(("contains `.` or `..`", "write the path from the drive to the file"));
    }
    if names.any(str::is_empty) {
        return Some(("has an empty name", "write one backslash between two names, and none at the end"));
    }
    None
}

/// Checks which file versions a test accepts: `version`, or `branches` if there is no `version`. Returns `None` after
/// an error, or if both are missing.
pub(super) fn version_test(
    cx: &mut Context<'_>,
    version: Option<&str>,
    branches: Option<&[document::Branch]>,
    path: &Path,
) -> Option<VersionTest> {
    match (version, branches) {
        (Some(version), _) => versions::file_version(cx, version, &path.field("version")).map(VersionTest::AtLeast),
        (None, Some(branches)) => versions::branches(cx, branches, &path.field("branches")).map(VersionTest::Branches),
        (None, None) => None,
    }
}

/// Checks a file that the hotfix installs. Returns `None` after reporting an error.
pub(super) fn hotfix_file(cx: &mut Context<'_>, file: &document::HotfixFile, path: &Path) -> Option<HotfixFile> {
    let at = file_path(cx, &file.path, &path.field("path"));
    let fields = [("version", file.version.is_some()), ("branches", file.branches.is_some())];
    let one = exactly_one(cx, path, "the file", &fields);
    let version = version_test(cx, file.version.as_deref(), file.branches.as_deref(), path);
    one?;
    Some(HotfixFile { path: at?, version: version?, platform: file.platform.map(platform) })
}

/// Checks a condition about a file. Returns `None` after reporting an error.
pub(super) fn file_test(
    cx: &mut Context<'_>,
    test: &document::FileTest,
    path: &Path,
) -> Option<(FilePattern, FileTest)> {
    let at = file_path(cx, &test.path, &path.field("path"));
    let asks_version = test.version.is_some() || test.branches.is_some();
    if test.exists == Some(false) {
        if asks_version || test.platform.is_some() {
            let message = "a file that is absent has neither version nor platform";
            cx.error_at_name(
                Code::CONTRADICTION,
                &path.field("exists"),
                message,
                "remove `exists: false`, or the other tests",
            );
            return None;
        }
        return Some((at?, FileTest::Absent));
    }
    if test.version.is_some() && test.branches.is_some() {
        exactly_one(cx, path, "the test", &[("version", true), ("branches", true)]);
        return None;
    }
    let version = version_test(cx, test.version.as_deref(), test.branches.as_deref(), path);
    if asks_version && version.is_none() {
        return None;
    }
    Some((at?, FileTest::Present { version, platform: test.platform.map(platform) }))
}

fn platform(name: PlatformName) -> Platform {
    match name {
        PlatformName::X86 => Platform::X86,
        PlatformName::X64 => Platform::X64,
        PlatformName::Arm64 => Platform::Arm64,
        PlatformName::Ia64 => Platform::Ia64,
    }
}

/// Checks the package that installs a hotfix. Returns `None` after reporting an error.
pub(super) fn package(cx: &mut Context<'_>, from: &document::Package, path: &Path) -> Option<model::Package> {
    let mut sound = true;
    if from.file.is_empty() || from.file.contains(['\\', '/']) {
        let message = format!("`{}` is not a file name", shorten(&from.file));
        cx.error(Code::FILE_PATH, &path.field("file"), message, "write the name without folders");
        sound = false;
    }
    if let (Some(success), Some(restart)) = (&from.success, &from.restart) {
        let codes: HashSet<u32> = success.iter().copied().collect();
        if let Some((at, code)) = restart.iter().enumerate().find(|(_, code)| codes.contains(code)) {
            let message = format!("the exit code {code} is in both `success` and `restart`");
            let hint = "write the code only in `restart` if the computer must be restarted after it, and otherwise \
                        only in `success`";
            cx.error(Code::CONTRADICTION, &path.field("restart").item(at), message, hint);
            sound = false;
        }
    }
    let (success, restart) = usual_codes(&from.file);
    let without = |usual: &[u32], other: &Option<Vec<u32>>| -> Vec<u32> {
        usual.iter().copied().filter(|code| !other.iter().flatten().any(|other| other == code)).collect()
    };
    sound.then(|| model::Package {
        file: from.file.clone(),
        sha256: from.sha256.to_ascii_lowercase(),
        arguments: from.arguments.clone(),
        success: from.success.clone().unwrap_or_else(|| without(success, &from.restart)),
        restart: from.restart.clone().unwrap_or_else(|| without(restart, &from.success)),
    })
}

/// Returns the default exit codes of the package `file`: first those that mean success, then those that mean success
/// and that the computer must be restarted.
///
/// Sources: Microsoft, "MsiExec.exe and InstMsi.exe error messages" (3010: a restart is needed, 1641: it was begun);
/// KB949545 and "Windows Update error code list by component" for a `.msu` (0x240006: installed already, 0x240005: a
/// restart is needed).
fn usual_codes(file: &str) -> (&'static [u32], &'static [u32]) {
    match file.rsplit_once('.') {
        Some((_, ending)) if ending.eq_ignore_ascii_case("msu") => (&[0, 0x24_0006], &[3010, 1641, 0x24_0005]),
        _ => (&[0], &[3010, 1641]),
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::{Settings, load};

    #[test]
    fn a_default_has_no_exit_code_that_the_other_list_names() {
        for (file, given, success, restart) in [
            ("a.exe", "", vec![0], vec![3010, 1641]),
            ("a.exe", ", restart: [0]", vec![], vec![0]),
            ("a.exe", ", success: [0, 3010]", vec![0, 3010], vec![1641]),
            ("a.msu", ", restart: [0x240006]", vec![0], vec![0x24_0006]),
            ("a.exe", ", success: [1], restart: [2]", vec![1], vec![2]),
        ] {
            let package = format!("{{ file: {file}, sha256: {}{given} }}", "0f".repeat(32));
            let files = r"files: [{ path: C:\a.dll, version: 1.2.3.4 }]";
            let text = format!("kbfix: 1\nid: X\ntitle: T\nhotfix: {{ {files}, package: {package} }}\n");
            let loaded = load("x", text.as_bytes(), &Settings::new());
            let package = loaded.spec.unwrap().hotfix.unwrap().package.unwrap();
            assert_eq!((package.success, package.restart), (success, restart), "{given}");
        }
    }
}
