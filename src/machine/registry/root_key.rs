//! Root keys, such as `HKLM`: their short and long names.

/// One of the predefined keys at the top of the registry.
///
/// Source: Microsoft, "Predefined Keys".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootKey {
    /// `HKEY_CLASSES_ROOT`: file types and COM classes, merged from those of the machine and those of the user.
    Hkcr,
    /// `HKEY_CURRENT_USER`: the settings of the user who runs a program.
    Hkcu,
    /// `HKEY_LOCAL_MACHINE`: the settings of the machine.
    Hklm,
    /// `HKEY_USERS`: the loaded hives of users, in keys named after the users' SIDs; `.DEFAULT` is that of the system.
    Hku,
    /// `HKEY_CURRENT_CONFIG`: the current hardware profile.
    Hkcc,
}

impl RootKey {
    /// All root keys, in the order in which `regedit` shows them.
    pub const ALL: [Self; 5] = [Self::Hkcr, Self::Hkcu, Self::Hklm, Self::Hku, Self::Hkcc];

    /// Returns the short name, such as `HKLM`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Hkcr => "HKCR",
            Self::Hkcu => "HKCU",
            Self::Hklm => "HKLM",
            Self::Hku => "HKU",
            Self::Hkcc => "HKCC",
        }
    }

    /// Returns the long name, such as `HKEY_LOCAL_MACHINE`, which `.reg` files use.
    pub fn long(self) -> &'static str {
        match self {
            Self::Hkcr => "HKEY_CLASSES_ROOT",
            Self::Hkcu => "HKEY_CURRENT_USER",
            Self::Hklm => "HKEY_LOCAL_MACHINE",
            Self::Hku => "HKEY_USERS",
            Self::Hkcc => "HKEY_CURRENT_CONFIG",
        }
    }

    /// Parses the short or long name of a root key, in any case; returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| text.eq_ignore_ascii_case(r.short()) || text.eq_ignore_ascii_case(r.long()))
    }
}
