//! Checks file versions, branches, Windows versions and dates in a spec.

use crate::{
    diag::{Code, text::shorten},
    spec::{document, model::Branch},
    version::FileVersion,
};

use super::{Context, Path};

/// Parses a file version. Returns `None` after reporting an error.
pub(super) fn file_version(cx: &mut Context<'_>, text: &str, path: &Path) -> Option<FileVersion> {
    match text.parse() {
        Ok(version) => Some(version),
        Err(_) => {
            let message = format!("`{}` is not a file version", shorten(text));
            cx.error(
                Code::FILE_VERSION,
                path,
                message,
                "write four numbers from 0 to 65535 with dots between them: 6.5.7651.19",
            );
            None
        }
    }
}

/// Checks the branches of a file: they must be sorted by their lowest version, and the version with the fix must belong
/// to its branch. Returns `None` after reporting an error.
pub(super) fn branches(cx: &mut Context<'_>, branches: &[document::Branch], path: &Path) -> Option<Vec<Branch>> {
    let mut out: Vec<Branch> = Vec::new();
    let mut sound = true;
    for (at, branch) in branches.iter().enumerate() {
        let path = path.item(at);
        let from = file_version(cx, &branch.from, &path.field("from"));
        let version = file_version(cx, &branch.version, &path.field("version"));
        let (Some(from), Some(version)) = (from, version) else {
            sound = false;
            continue;
        };
        if version < from {
            let message = format!("the branch begins at {from}, above the version {version} that has the fix");
            cx.error(
                Code::BRANCHES,
                &path.field("version"),
                message,
                "set `from` to the lowest file version of this branch; it cannot be higher than `version`, which has the fix",
            );
            sound = false;
        }
        if let Some(last) = out.last() {
            if from <= last.from {
                let message =
                    format!("the branch that begins at {from} is listed after the branch that begins at {}", last.from);
                cx.error(Code::BRANCHES, &path.field("from"), message, "list each branch once, the lowest first");
                sound = false;
            } else if last.version >= from {
                let message = format!(
                    "the previous branch has its fix in version {}, but this branch already begins at {from}",
                    last.version
                );
                cx.error(
                    Code::BRANCHES,
                    &path.field("from"),
                    message,
                    "correct `from` here, or the version with the fix of the previous branch",
                );
                sound = false;
            }
        }
        out.push(Branch { from, version, title: branch.title.clone() });
    }
    sound.then_some(out)
}

/// The highest number that is the name of a Windows release: the year of Windows Server 2025. Builds of 10.0 are
/// higher.
const RELEASE_NAMES: u32 = 2025;

/// Parses a Windows version of one to four numbers, such as 10.0.17763.1697. Missing numbers are 0. Returns `None`
/// after reporting an error.
pub(super) fn os_version(cx: &mut Context<'_>, text: &str, path: &Path) -> Option<[u32; 4]> {
    let mut out = [0; 4];
    let mut parts = text.split('.');
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    let mut fits = true;
    for slot in &mut out {
        match parts.next() {
            Some(part) => match number(part) {
                Some(number) => *slot = number,
                None => fits = false,
            },
            None => break,
        }
    }
    let fits = fits && parts.next().is_none();
    // Only these versions belong to Windows NT. The 10 of Windows 10, 11, and Server 2016 and later is followed by 0
    // and by a build, and none of their builds is as low as the name of a release, such as 1809.
    let is_ten = out[0] == 10 && out[1] == 0 && !matches!(out[2], 1..=RELEASE_NAMES);
    if fits && (matches!(out[0], 3..=6) || is_ten) {
        return Some(out);
    }
    let meant = super::display_names::version(text);
    let is_no_windows = fits && out[0] == 10 && out[1] != 0 && meant.is_none();
    let what = match fits {
        true if is_no_windows => "is the version of no Windows",
        true => "looks like a name or a build, not a version of Windows",
        false => "is not a version of Windows",
    };
    let message = format!("`{}` {what}", shorten(text));
    let hint = match meant {
        Some(meant) => format!("write \"{meant}\""),
        None if is_no_windows => {
            "Windows 10, Windows 11, and Windows Server since 2016 have the version 10.0 and differ in \
            the build: write \"10.0.17763\""
                .to_owned()
        }
        None => "write it as \"6.1\", \"10.0.17763\" or \"10.0.17763.1697\"".to_owned(),
    };
    cx.error(Code::OS_VERSION, path, message, hint);
    None
}

/// Returns whether `text`, which has the form year-month-day, is a date that exists.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<u32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    let &[year, month, day] = parts.as_slice() else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}
