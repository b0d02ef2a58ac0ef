//! Machines of every kind of target, each with a key in which the tests may change everything.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::{Data, Key, KeyName, KeyProperties, SecurityDescriptor, ValueName, ValueType},
    targets::{
        Address, Answer, ChangeAction, Facts, KeyChange, KeyFacts, KeyQuery, Snapshot, Target, ValueChange,
        ValueSelection, WriteError, open,
    },
};

#[cfg(unix)]
use kbfix::targets::smb::{Settings, SmbTarget};

use crate::policy_file;
#[cfg(unix)]
use crate::targets::server::{Server, Speaks};

/// The kinds of target that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A version 5 export as regedit writes it.
    RegUtf16,
    /// A version 5 export in UTF-8.
    RegUtf8,
    /// A version 4 export in code page 1252.
    RegAnsi,
    /// A version 4 export in UTF-16, which regedit also reads.
    Reg4Utf16,
    Snapshot,
    /// The volume of a switched-off Windows.
    Image,
    /// One hive file.
    Hive,
    /// A policy file that deletes and creates the key, so that everything about the key is known.
    Pol,
    #[cfg(windows)]
    Local,
    /// Another machine.
    #[cfg(unix)]
    Smb,
}

impl Kind {
    const ALL: &[Self] = &[
        Self::RegUtf16,
        Self::RegUtf8,
        Self::RegAnsi,
        Self::Reg4Utf16,
        Self::Snapshot,
        Self::Image,
        Self::Hive,
        Self::Pol,
        #[cfg(windows)]
        Self::Local,
        #[cfg(unix)]
        Self::Smb,
    ];

    /// Returns whether the format can hold every character in names and strings.
    pub(crate) fn holds_unicode(self) -> bool {
        self != Self::RegAnsi
    }

    /// Returns whether the export writes REG_EXPAND_SZ and REG_MULTI_SZ in ANSI bytes.
    pub(crate) fn is_version_4(self) -> bool {
        matches!(self, Self::RegAnsi | Self::Reg4Utf16)
    }

    /// Returns the maximum length of a name, in bytes of UTF-8.
    pub(crate) fn longest_name(self) -> usize {
        match self {
            // This is the limit of Samba, which runs in place of Windows and keeps names in fields of 256 bytes.
            #[cfg(unix)]
            Self::Smb => 255,
            _ => usize::MAX,
        }
    }

    pub(crate) fn is_file(self) -> bool {
        match self {
            #[cfg(windows)]
            Self::Local => false,
            #[cfg(unix)]
            Self::Smb => false,
            _ => true,
        }
    }

    /// Returns whether the target has security descriptors.
    pub(crate) fn keeps_security(self) -> bool {
        !matches!(self, Self::RegUtf16 | Self::RegUtf8 | Self::RegAnsi | Self::Reg4Utf16 | Self::Pol)
    }

    /// Returns whether the target has class names.
    pub(crate) fn keeps_classes(self) -> bool {
        #[cfg(unix)]
        if self == Self::Smb {
            return false;
        }
        self.keeps_security()
    }

    /// Returns whether the target holds only some keys of `HKLM\SOFTWARE`, so that the others are unknown.
    pub(crate) fn is_partial(self) -> bool {
        self.is_file() && !matches!(self, Self::Image | Self::Hive)
    }
}

/// A target with an empty key of its own. The target is removed when the test ends.
pub(crate) struct Machine {
    pub(crate) kind: Kind,
    pub(crate) base: Key,
    pub(crate) address: Address,
    folder: tempfile::TempDir,
}

/// Runs a test on a new machine of every kind. If the test fails, the kind that was printed last is the one that
/// failed.
pub(crate) fn each(contract: impl Fn(&Machine)) {
    for kind in Kind::ALL {
        println!("on {kind:?}");
        #[cfg(unix)]
        if *kind == Kind::Smb && smb_server().is_none() {
            println!("SKIPPED: there is no server for smb:; the other kinds were tested");
            continue;
        }
        contract(&Machine::new(*kind));
    }
}

impl Machine {
    fn new(kind: Kind) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = format!(r"HKLM\SOFTWARE\kbfix-test-contract-{}-{number}", std::process::id());
        let base: Key = path.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let section = format!("[{}]", base.path.to_long());
        let export = |bytes: Vec<u8>, code_page| {
            let file = folder.path().join("machine.reg");
            fs::write(&file, bytes).unwrap();
            address(&file, "reg", code_page)
        };
        let v5 = format!("\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n{section}\r\n\r\n");
        let v4 = format!("REGEDIT4\r\n\r\n{section}\r\n\r\n");
        let address = match kind {
            Kind::RegUtf16 => export(utf16(&v5), None),
            Kind::RegUtf8 => export(v5.into_bytes(), None),
            Kind::RegAnsi => export(v4.into_bytes(), Some(1252)),
            Kind::Reg4Utf16 => export(utf16(&format!("\u{FEFF}{v4}")), Some(1252)),
            Kind::Snapshot => {
                let file = folder.path().join("machine.json");
                fs::write(&file, snapshot(&base).to_text().unwrap()).unwrap();
                address(&file, "snapshot", None)
            }
            Kind::Image => {
                let root = folder.path().join("volume");
                hive(&root.join(SOFTWARE), &base);
                address(&root, "image", None)
            }
            Kind::Hive => {
                let file = folder.path().join("SOFTWARE");
                hive(&file, &base);
                Address::new(&format!(r"hive:{}=HKLM\SOFTWARE", file.display()), None, None).unwrap()
            }
            Kind::Pol => {
                let file = folder.path().join("Registry.pol");
                fs::write(&file, policy(&base)).unwrap();
                Address::new(&format!("pol:{}=HKLM", file.display()), None, None).unwrap()
            }
            #[cfg(windows)]
            Kind::Local => {
                windows_registry::LOCAL_MACHINE.create(base.path.below_root()).unwrap();
                Address::new("local", None, None).unwrap()
            }
            #[cfg(unix)]
            Kind::Smb => Address::new(&smb_server().unwrap().uri(), None, None).unwrap(),
        };
        let machine = Self { kind, base, address, folder };
        #[cfg(unix)]
        if kind == Kind::Smb {
            machine.write(&[change(&machine.base, ChangeAction::Create, [])]).unwrap();
        }
        machine
    }

    /// Opens the target as a new process does.
    pub(crate) fn open(&self) -> Box<dyn Target> {
        #[cfg(unix)]
        if self.kind == Kind::Smb {
            let locks = Some(self.folder.path().join("kbfix/lock"));
            let settings = Settings { locks, ..smb_server().unwrap().settings() };
            let host = self.address.uri.parse().unwrap();
            return Box::new(SmbTarget::open(host, Default::default(), settings).unwrap());
        }
        open(&self.address).unwrap()
    }

    /// Changes the target, and closes it.
    pub(crate) fn write(&self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.open().write(changes).map_err(|failure| failure.error)
    }

    /// Sets values of the machine's key.
    pub(crate) fn set(&self, values: &[(&str, Data)]) {
        let values = values.iter().map(|(name, data)| value(name, None, Some(data.clone())));
        self.write(&[change(&self.base, ChangeAction::Update, values)]).unwrap();
    }

    /// Sends one query to the target.
    pub(crate) fn query(&self, key: &Key, values: ValueSelection, subkeys: bool) -> Answer<KeyFacts> {
        let query = KeyQuery { key: key.clone(), values, subkeys };
        self.open().read_keys(&[query]).unwrap().remove(0)
    }

    /// Reads one value of an existing key.
    pub(crate) fn read(&self, key: &Key, value: &str) -> Answer<Data> {
        let wanted = ValueSelection::Names([name(value)].into());
        let facts = self.query(key, wanted, false).known().unwrap().expect("the key is there");
        facts.values.into_iter().next().unwrap().1
    }

    pub(crate) fn is_there(&self, key: &Key) -> bool {
        self.query(key, ValueSelection::Names(Default::default()), false).known().unwrap().is_some()
    }

    /// Returns a key below the machine's key.
    pub(crate) fn below(&self, path: &str) -> Key {
        path.split('\\').fold(self.base.clone(), |key, name| key.child(&KeyName::new(name).unwrap()))
    }

    /// Returns everything in the machine's key and below it.
    pub(crate) fn tree(&self) -> Vec<(Key, KeyFacts)> {
        let mut found = Vec::new();
        let mut left = vec![self.base.clone()];
        while let Some(key) = left.pop() {
            let mut facts = self.query(&key, ValueSelection::All, true).known().unwrap().expect("the key is there");
            let Some(Answer::Present(subkeys)) = &mut facts.subkeys else { panic!("the subkeys are not known") };
            subkeys.sort();
            left.extend(subkeys.iter().map(|name| key.child(name)));
            found.push((key, facts));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// Returns the file of the target or of its hive, if there is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        let (_, path) = self.address.uri.split_once(':').filter(|_| self.kind.is_file())?;
        Some(match self.kind {
            Kind::Image => Path::new(path).join(SOFTWARE),
            _ => path.split('=').next()?.into(),
        })
    }

    /// Returns the bytes of the target, if it is a file.
    pub(crate) fn file(&self) -> Option<Vec<u8>> {
        self.path().map(|path| fs::read(path).unwrap())
    }

    pub(crate) fn state_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Runs kbfix on this target in a process of its own, with a spec on standard input.
    pub(crate) fn kbfix(&self, command: &str, spec: &str) -> Output {
        let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        #[cfg(unix)]
        if self.kind == Kind::Smb {
            kbfix = smb_server().unwrap().kbfix(&[]);
            kbfix.env("XDG_STATE_HOME", self.folder.path());
        }
        kbfix.args([command, "-", "--target", &self.address.uri]);
        if let Some(page) = self.address.code_page {
            kbfix.args(["--code-page", &page.to_string()]);
        }
        if command == "apply" {
            kbfix.arg("--state-dir").arg(self.state_dir());
        }
        let mut child =
            kbfix.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kbfix starts");
        child.stdin.take().unwrap().write_all(spec.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Returns a spec about the machine's key.
    pub(crate) fn spec(&self, values: &str) -> String {
        format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {}\n    values: {{ {values} }}\n", self.base.path)
    }
}

#[cfg(windows)]
impl Drop for Machine {
    fn drop(&mut self) {
        if self.kind == Kind::Local {
            let _ = windows_registry::LOCAL_MACHINE.remove_tree(self.base.path.below_root());
        }
    }
}

/// Returns the server for all tests of this program. It ends with the program.
#[cfg(unix)]
fn smb_server() -> Option<&'static Server> {
    static SERVER: std::sync::OnceLock<Option<Server>> = std::sync::OnceLock::new();
    SERVER.get_or_init(|| Server::start(Speaks::Smb3)).as_ref()
}

const SOFTWARE: &str = "Windows/System32/config/SOFTWARE";

/// Writes a hive of `HKLM\SOFTWARE` with one key.
fn hive(file: &Path, base: &Key) {
    let mut hive = Hive::create(Filetime::now()).unwrap();
    let below = base.path.below_root().split_once('\\').unwrap().1;
    hive.edit(Filetime::now()).unwrap().create_key(below).unwrap();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, hive.to_bytes(Filetime::now()).unwrap()).unwrap();
}

/// Returns a policy that deletes the key and creates it again.
fn policy(base: &Key) -> Vec<u8> {
    let (above, last) = base.path.below_root().rsplit_once('\\').unwrap();
    let gone = policy_file::entry(above, "**DeleteKeys", &Data::sz(last));
    let made = policy_file::entry(base.path.below_root(), "", &Data::new(ValueType::NONE, []));
    policy_file::file([gone, made])
}

fn address(file: &Path, scheme: &str, code_page: Option<u16>) -> Address {
    Address::new(&format!("{scheme}:{}", file.display()), None, code_page).unwrap()
}

fn snapshot(base: &Key) -> Snapshot {
    let mut facts = Facts::default();
    let query = KeyQuery { key: base.clone(), values: ValueSelection::All, subkeys: true };
    let properties = Some(Answer::Present(properties(None)));
    let found = KeyFacts { properties, subkeys: Some(Answer::Present(Vec::new())), ..KeyFacts::default() };
    facts.record_key(&query, Answer::Present(found));
    Snapshot {
        kbfix_snapshot: 1,
        taken_of: "local".to_owned(),
        taken: "2026-01-01T00:00:00Z".to_owned(),
        specs: Vec::new(),
        facts,
        events: Vec::new(),
    }
}

/// Returns a class name and a security descriptor: the owner is Administrators, only Administrators and the system have
/// rights, and nothing is inherited.
pub(crate) fn properties(class: Option<&str>) -> KeyProperties {
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    const FULL: [u8; 4] = [0x3F, 0, 0xF, 0];
    let header = [1, 0, 4, 0x90, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0];
    let list = [2, 0, 52, 0, 2, 0, 0, 0];
    let entries = [&[0, 2, 24, 0][..], &FULL, &ADMINISTRATORS, &[0, 2, 20, 0], &FULL, &SYSTEM].concat();
    let bytes = [&header[..], &ADMINISTRATORS, &SYSTEM, &list, &entries].concat();
    KeyProperties { class: class.map(str::to_owned), security: SecurityDescriptor::new(bytes).unwrap() }
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(crate) fn name(name: &str) -> ValueName {
    ValueName::new(name).unwrap()
}

/// Returns the change of one value from `before` to `after`.
pub(crate) fn value(value: &str, before: Option<Data>, after: Option<Data>) -> ValueChange {
    ValueChange { name: name(value), before, after }
}

pub(crate) fn change(key: &Key, action: ChangeAction, values: impl IntoIterator<Item = ValueChange>) -> KeyChange {
    KeyChange::new(key.clone(), action, values.into_iter().collect())
}
