//! Warns about environment variables in strings that Windows does not expand.

use crate::{diag::Code, registry::ValueType};

use super::{Context, Part, Path};

/// Warns about the first known environment variable in `text` if REG_SZ is the only type, because Windows expands
/// variables only in a REG_EXPAND_SZ.
pub(super) fn unexpanded(cx: &mut Context<'_>, text: &str, types: &[ValueType], path: &Path) {
    const VARIABLES: [&str; 24] = [
        "ALLUSERSPROFILE",
        "APPDATA",
        "CommonProgramFiles",
        "CommonProgramFiles(x86)",
        "CommonProgramW6432",
        "COMPUTERNAME",
        "ComSpec",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "LOGONSERVER",
        "PATH",
        "ProgramData",
        "ProgramFiles",
        "ProgramFiles(x86)",
        "ProgramW6432",
        "PUBLIC",
        "SystemDrive",
        "SystemRoot",
        "TEMP",
        "USERDOMAIN",
        "USERNAME",
        "USERPROFILE",
        "windir",
    ];
    if types != [ValueType::SZ] {
        return;
    }
    let mut pieces = text.split('%').skip(1);
    if let Some(name) = pieces.find(|piece| VARIABLES.iter().any(|known| known.eq_ignore_ascii_case(piece)))
        && text.to_ascii_lowercase().contains(&format!("%{}%", name.to_ascii_lowercase()))
    {
        let message = format!("`%{name}%` is not expanded in a REG_SZ; Windows expands only a REG_EXPAND_SZ");
        let hint = "make the type REG_EXPAND_SZ, unless the program that reads the value expands the variable itself";
        cx.warning_within(Code::UNEXPANDED_VARIABLE, path, Part::Data, &format!("%{name}%"), message, hint);
    }
}
