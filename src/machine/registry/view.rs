//! The 32-bit and 64-bit views of the registry on 64-bit Windows.

use std::{fmt, str::FromStr, sync::LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyName, KeyPath, RootKey, sid};

/// One of the two registry views of WOW64. 32-bit Windows has only one view, and both variants mean that view.
///
/// Source: Microsoft, "Accessing an Alternate Registry View" and "Registry Keys Affected by WOW64".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum View {
    /// The view of 64-bit programs; on 32-bit Windows, the only one.
    #[default]
    #[serde(rename = "64")]
    Bits64,
    /// The view of 32-bit programs on 64-bit Windows.
    #[serde(rename = "32")]
    Bits32,
}

impl View {
    /// Returns the path of a key in the 64-bit view. `path` is the path of the same key in this view.
    ///
    /// Exports, images and hives contain the paths of the 64-bit view. There, a key that only the 32-bit view contains
    /// is below `Wow6432Node`. A key that both views share has the same path in both.
    pub fn stored_at(self, path: &KeyPath) -> KeyPath {
        match self {
            Self::Bits64 => path.clone(),
            Self::Bits32 => redirected(path).unwrap_or_else(|| path.clone()),
        }
    }
}

/// The keys below `HKLM\SOFTWARE` that both views share since Windows 7. In earlier versions of Windows, each view has
/// its own copy of some of these keys, and Windows copies changes between the two (reflection).
///
/// Source: Microsoft, "Registry Keys Affected by WOW64".
const SHARED_SOFTWARE: &[&str] = &[
    "Clients",
    r"Microsoft\COM3",
    r"Microsoft\Cryptography\Calais\Current",
    r"Microsoft\Cryptography\Calais\Readers",
    r"Microsoft\Cryptography\Services",
    r"Microsoft\CTF\SystemShared",
    r"Microsoft\CTF\TIP",
    r"Microsoft\DFS",
    r"Microsoft\Driver Signing",
    r"Microsoft\EnterpriseCertificates",
    r"Microsoft\EventSystem",
    r"Microsoft\MSMQ",
    r"Microsoft\Non-Driver Signing",
    r"Microsoft\Notepad\DefaultFonts",
    r"Microsoft\OLE",
    r"Microsoft\RAS",
    r"Microsoft\RPC",
    r"Microsoft\SOFTWARE\Microsoft\Shared Tools\MSInfo",
    r"Microsoft\SystemCertificates",
    r"Microsoft\TermServLicensing",
    r"Microsoft\TransactionServer",
    r"Microsoft\Windows\CurrentVersion\App Paths",
    r"Microsoft\Windows\CurrentVersion\Control Panel\Cursors\Schemes",
    r"Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers",
    r"Microsoft\Windows\CurrentVersion\Explorer\DriveIcons",
    r"Microsoft\Windows\CurrentVersion\Explorer\KindMap",
    r"Microsoft\Windows\CurrentVersion\Group Policy",
    r"Microsoft\Windows\CurrentVersion\Policies",
    r"Microsoft\Windows\CurrentVersion\PreviewHandlers",
    r"Microsoft\Windows\CurrentVersion\Setup",
    r"Microsoft\Windows\CurrentVersion\Telephony\Locations",
    r"Microsoft\Windows NT\CurrentVersion\Console",
    r"Microsoft\Windows NT\CurrentVersion\FontDpi",
    r"Microsoft\Windows NT\CurrentVersion\FontLink",
    r"Microsoft\Windows NT\CurrentVersion\FontMapper",
    r"Microsoft\Windows NT\CurrentVersion\Fonts",
    r"Microsoft\Windows NT\CurrentVersion\FontSubstitutes",
    r"Microsoft\Windows NT\CurrentVersion\Gre_Initialize",
    r"Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
    r"Microsoft\Windows NT\CurrentVersion\Language Pack",
    r"Microsoft\Windows NT\CurrentVersion\NetworkCards",
    r"Microsoft\Windows NT\CurrentVersion\Perflib",
    r"Microsoft\Windows NT\CurrentVersion\Ports",
    r"Microsoft\Windows NT\CurrentVersion\Print",
    r"Microsoft\Windows NT\CurrentVersion\ProfileList",
    r"Microsoft\Windows NT\CurrentVersion\Time Zones",
    "Policies",
    "RegisteredApplications",
];

/// Subkeys of a `Classes` key that exist separately in each view. Both views share all other subkeys.
const REDIRECTED_CLASSES: &[&str] = &["CLSID", "DirectShow", "Interface", "Media Type", "MediaFoundation"];

/// Returns the path in the 64-bit view of a key with this path in the 32-bit view. Returns `None` if the two paths are
/// the same: both views share the key, or the path already contains `Wow6432Node`.
fn redirected(path: &KeyPath) -> Option<KeyPath> {
    let names: Vec<&str> = path.names().collect();
    let is = |at: usize, wanted: &str| names.get(at).is_some_and(|n| n.eq_ignore_ascii_case(wanted));
    let classes = match path.root() {
        RootKey::Hkcr => Some(0),
        RootKey::Hklm if is(0, "SOFTWARE") && is(1, "Classes") => Some(2),
        RootKey::Hkcu if is(0, "Software") && is(1, "Classes") => Some(2),
        RootKey::Hku if is(1, "Software") && is(2, "Classes") => Some(3),
        RootKey::Hku if names.first().is_some_and(|name| sid::of_classes(name).is_some()) => Some(1),
        _ => None,
    };
    if let Some(at) = classes {
        let redirect = REDIRECTED_CLASSES.iter().any(|class| is(at, class));
        return redirect.then(|| inserted(path, at));
    }
    if path.root() != RootKey::Hklm || !is(0, "SOFTWARE") || is(1, "Wow6432Node") {
        return None;
    }
    static SHARED: LazyLock<Vec<KeyPath>> = LazyLock::new(|| {
        let known = |below| KeyPath::known(RootKey::Hklm, &format!("SOFTWARE\\{below}"));
        SHARED_SOFTWARE.iter().map(known).collect()
    });
    let shared = SHARED.iter().any(|shared| path.is_within(shared));
    (!shared).then(|| inserted(path, 1))
}

/// Returns `path` with `Wow6432Node` inserted before the name with index `at` below the root key.
fn inserted(path: &KeyPath, at: usize) -> KeyPath {
    let names = path.names().take(at).chain(["Wow6432Node"]).chain(path.names().skip(at));
    names
        .filter_map(|name| KeyName::new(name).ok())
        .fold(KeyPath::root_key(path.root()), |path, name| path.child(&name))
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bits64 => "64",
            Self::Bits32 => "32",
        })
    }
}

/// A key in one of the two views: its path and the view.
///
/// Queries to targets and changes name keys in this form. As text, a key in the 64-bit view is only its path; in the
/// 32-bit view, a space and `[32-bit view]` follow the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The path of the key in the view `view`.
    #[serde(rename = "key")]
    pub path: KeyPath,
    /// The view to which the path belongs. In JSON, the 64-bit view is left out.
    #[serde(default, skip_serializing_if = "Key::is_64")]
    pub view: View,
}

impl Key {
    fn is_64(view: &View) -> bool {
        *view == View::Bits64
    }

    /// Returns the key `path` in the 64-bit view.
    pub fn new(path: KeyPath) -> Self {
        Self { path, view: View::Bits64 }
    }

    /// Returns the key that contains this key; `None` for a root key.
    ///
    /// Usually, this is the key one level above in the same view. If that key does not contain this key, it is a key of
    /// the 64-bit view: for example, `HKCR\Wow6432Node` contains the 32-bit `HKCR\CLSID`.
    pub fn parent(&self) -> Option<Self> {
        let above = Self { path: self.path.parent()?, view: self.view };
        if self.view == View::Bits64 {
            return Some(above);
        }
        let holds = self.stored().parent()?;
        Some(if above.stored() == holds { above } else { Self::new(holds) })
    }

    /// Returns the path at which the 64-bit view stores the key.
    pub fn stored(&self) -> KeyPath {
        self.view.stored_at(&self.path)
    }

    /// Returns the key `name` directly below, in the same view.
    pub fn child(&self, name: &KeyName) -> Self {
        Self { path: self.path.child(name), view: self.view }
    }
}

impl FromStr for Key {
    type Err = super::KeyPathError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text.parse()?))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.view {
            View::Bits64 => write!(f, "{}", self.path),
            View::Bits32 => write!(f, "{} [32-bit view]", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_32_bit_view_is_stored_below_wow6432node_unless_shared() {
        let at = |path: &str| View::Bits32.stored_at(&path.parse().unwrap()).to_string();
        assert_eq!(
            at(r"HKLM\SOFTWARE\Microsoft\Cryptography\Wintrust"),
            r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography\Wintrust"
        );
        assert_eq!(at(r"HKLM\SOFTWARE\Policies\X"), r"HKLM\SOFTWARE\Policies\X");
        assert_eq!(at(r"HKLM\SOFTWARE\Microsoft\Ole\AppCompat"), r"HKLM\SOFTWARE\Microsoft\Ole\AppCompat");
        assert_eq!(at(r"HKLM\SOFTWARE\Clients\Mail"), r"HKLM\SOFTWARE\Clients\Mail");
        let pack = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Language Pack";
        assert_eq!(at(pack), pack);
        assert_eq!(at(r"HKLM\SYSTEM\X"), r"HKLM\SYSTEM\X");
        assert_eq!(at(r"HKCR\CLSID\{1}"), r"HKCR\Wow6432Node\CLSID\{1}");
        assert_eq!(at(r"HKCR\ms-msdt"), r"HKCR\ms-msdt");
        assert_eq!(at(r"HKLM\SOFTWARE\Classes\CLSID\X"), r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID\X");
        assert_eq!(
            at(r"HKU\S-1-5-21\Software\Classes\Interface"),
            r"HKU\S-1-5-21\Software\Classes\Wow6432Node\Interface"
        );
        // WOW64 also redirects the key itself, so that its subkeys are those of the 32-bit view.
        assert_eq!(at(r"HKLM\SOFTWARE"), r"HKLM\SOFTWARE\Wow6432Node");
        assert_eq!(at("HKLM"), "HKLM");
    }

    #[test]
    fn the_key_above_is_the_one_that_holds_it() {
        let above = |path: &str| -> Vec<String> {
            let key = Key { path: path.parse().unwrap(), view: View::Bits32 };
            std::iter::successors(key.parent(), Key::parent).map(|key| key.to_string()).collect()
        };
        let classes = [r"HKLM\SOFTWARE\Classes\Wow6432Node", r"HKLM\SOFTWARE\Classes", r"HKLM\SOFTWARE", "HKLM"];
        assert_eq!(above(r"HKLM\SOFTWARE\Classes\CLSID"), classes);
        assert_eq!(above(r"HKLM\SOFTWARE\Classes\CLSID\x")[0], r"HKLM\SOFTWARE\Classes\CLSID [32-bit view]");
        assert_eq!(above(r"HKCR\CLSID"), [r"HKCR\Wow6432Node", "HKCR"]);
        assert_eq!(above(r"HKLM\SOFTWARE\X"), [r"HKLM\SOFTWARE [32-bit view]", r"HKLM\SOFTWARE", "HKLM"]);
    }
}
