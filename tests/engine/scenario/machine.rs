//! Creates a machine from a description, as each kind of target.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kbfix::{
    format::{
        pe::minimal,
        pol,
        reg::Document,
        regf::{Filetime, Hive},
    },
    operation,
    registry::{Data, Key, KeyPath, RootKey, ValueName, ValueType},
    spec::Spec,
    targets::{Address, Snapshot, Target, open},
};
use tempfile::TempDir;

use crate::scenario::Scenario;

/// The kinds of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Reg,
    Snapshot,
    Image,
    Hive,
    Pol,
    /// An image whose values in policy branches are read and written in its local GPO.
    Through,
    #[cfg(windows)]
    Local,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reg => "reg",
            Self::Snapshot => "snapshot",
            Self::Image => "image",
            Self::Hive => "hive",
            Self::Pol => "pol",
            Self::Through => "through",
            #[cfg(windows)]
            Self::Local => "local",
        }
    }
}

impl Kind {
    /// Returns the names of this kind in a form. The name of the kind itself is the first.
    pub(crate) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Through => vec![self.name(), Self::Image.name()],
            _ => vec![self.name()],
        }
    }
}

/// Returns the form for this kind of target; `None` if it cannot be tested here.
pub(crate) fn fitted(kind: Kind, form: Scenario) -> Option<Scenario> {
    match kind {
        _ if !form.fits(kind) => None,
        #[cfg(windows)]
        Kind::Local => crate::forms::local::fitted(form),
        _ => Some(form),
    }
}

/// A machine as a target of one kind. It is removed on drop.
pub(crate) struct Machine {
    pub(crate) kind: Kind,
    pub(crate) address: Address,
    pub(crate) folder: TempDir,
    /// The hive files of the machine.
    pub(crate) hives: Vec<PathBuf>,
    #[cfg(windows)]
    pub(crate) prepared: Option<crate::forms::local::Prepared>,
}

impl Machine {
    pub(crate) fn new(kind: Kind, form: &Scenario) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let drive = folder.path().join("C");
        let document = Document::parse(form.export().into_bytes(), None).unwrap_or_else(|e| panic!("{e}"));
        let mut hives = Vec::new();
        let address = |uri: String, files: bool| Address::new(&uri, files.then_some(drive.as_path()), None).unwrap();
        let address = match kind {
            #[cfg(windows)]
            Kind::Local => Address::new("local", None, None).unwrap(),
            Kind::Pol => {
                let file = folder.path().join("Registry.pol");
                fs::write(&file, policy(&document, |_| true)).unwrap();
                address(format!("pol:{}=HKLM", file.display()), false)
            }
            Kind::Reg | Kind::Snapshot => {
                files(form, &drive);
                let export = folder.path().join("machine.reg");
                fs::write(&export, form.export()).unwrap();
                let export = address(format!("reg:{}", export.display()), true);
                if kind == Kind::Reg { export } else { snapshot(form, &export, folder.path()) }
            }
            Kind::Image | Kind::Through => {
                files(form, &drive);
                hives = image(&document, &drive);
                let through = kind == Kind::Through;
                if through {
                    write(&drive.join(LOCAL_POLICY), &policy(&document, |key| key.policy_branch().is_some()));
                }
                address(format!("image:{}", drive.display()), false).with_through_policy(through)
            }
            Kind::Hive => {
                files(form, &drive);
                let file = folder.path().join("HIVE");
                hive(&document, &form.hive.parse().unwrap(), &file);
                let uri = format!("hive:{}={}", file.display(), form.hive);
                hives.push(file);
                address(uri, true)
            }
        };
        #[cfg(windows)]
        let prepared = (kind == Kind::Local).then(|| crate::forms::local::Prepared::new(form, &document));
        Self {
            kind,
            address,
            folder,
            hives,
            #[cfg(windows)]
            prepared,
        }
    }

    /// Opens the target as a new process does.
    pub(crate) fn open(&self) -> Box<dyn Target> {
        open(&self.address).unwrap()
    }

    /// Returns the file of the target, if the target is a file.
    pub(crate) fn file(&self) -> PathBuf {
        let path = self.address.uri.split_once(':').unwrap().1;
        path.strip_suffix("=HKLM").unwrap_or(path).into()
    }
}

/// Returns the bytes of a file with this file version.
pub(crate) fn file(version: &str) -> Vec<u8> {
    if version == "none" { b"text".to_vec() } else { minimal::dll(version.parse().unwrap()) }
}

fn files(form: &Scenario, drive: &Path) {
    fs::create_dir_all(drive).unwrap();
    for (path, version) in &form.files {
        write(&on(drive, path), &file(version));
    }
}

/// Returns the path of the file in the folder for drive C.
fn on(drive: &Path, path: &str) -> PathBuf {
    drive.join(path.strip_prefix(r"C:\").unwrap().replace('\\', "/"))
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Returns a snapshot of the export for these specs.
pub(crate) fn taken(export: &Address, specs: &[Spec]) -> Snapshot {
    Snapshot {
        kbfix_snapshot: 1,
        taken_of: export.uri.clone(),
        taken: "2026-01-01T00:00:00Z".to_owned(),
        specs: specs.iter().map(|spec| spec.id.clone()).collect(),
        facts: operation::make_plan(open(export).unwrap().as_mut(), specs).unwrap().facts,
        events: Vec::new(),
    }
}

fn snapshot(form: &Scenario, export: &Address, folder: &Path) -> Address {
    let file = folder.join("machine.json");
    fs::write(&file, taken(export, &form.load()).to_text().unwrap()).unwrap();
    Address::new(&format!("snapshot:{}", file.display()), None, None).unwrap()
}

/// Writes the hives of a volume: those of the machine, and of each user in `ProfileList` of the description.
fn image(document: &Document, drive: &Path) -> Vec<PathBuf> {
    let config = drive.join("Windows/System32/config");
    let mut hives = Vec::new();
    for (name, mount) in [("SYSTEM", r"HKLM\SYSTEM"), ("SOFTWARE", r"HKLM\SOFTWARE"), ("DEFAULT", r"HKU\.DEFAULT")] {
        hives.push(config.join(name));
        hive(document, &mount.parse().unwrap(), &config.join(name));
    }
    let profiles: KeyPath = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList".parse().unwrap();
    for profile in document.keys_from(&profiles).filter(|key| key.parent().as_ref() == Some(&profiles)) {
        let folder = document.values(profile).and_then(|values| {
            let folder = values.get(&ValueName::new("ProfileImagePath").unwrap())?.unwrap();
            Some(folder.as_read_text().unwrap())
        });
        let folder = folder.unwrap_or_else(|| users_folder(profile));
        let file = on(drive, &folder).join("NTUSER.DAT");
        hive(document, &KeyPath::from_parts(RootKey::Hku, profile.last().unwrap()).unwrap(), &file);
        hives.push(file);
    }
    if let Some(folder) = default_profile(document) {
        let file = on(drive, &folder).join("NTUSER.DAT");
        hive(document, &r"HKU\DefaultProfile".parse().unwrap(), &file);
        hives.push(file);
    }
    hives
}

/// Returns the folder of the Default profile, if the description names one.
pub(crate) fn default_profile(document: &Document) -> Option<String> {
    let profiles = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList".parse().unwrap();
    let text = |name: &str| document.values(&profiles)?.get(&ValueName::new(name).unwrap())?.unwrap().as_read_text();
    let below =
        || Some(text("ProfilesDirectory")?.replace("%SystemDrive%", "C:") + "\\" + &text("DefaultUserProfile")?);
    text("Default").or_else(below)
}

/// Returns the folder of a user's profile for which the description names none.
fn users_folder(profile: &KeyPath) -> String {
    format!(r"C:\Users\{}", profile.last().unwrap())
}

/// The policy file of the machine in the local GPO.
pub(crate) const LOCAL_POLICY: &str = "Windows/System32/GroupPolicy/Machine/Registry.pol";

/// Returns a policy that brings the picked keys of HKLM into the described state. It deletes each topmost key and
/// creates it again, so that everything else in the key is absent.
fn policy(document: &Document, is_picked: impl Fn(&Key) -> bool) -> Vec<u8> {
    let mut bytes = b"PReg\x01\0\0\0".to_vec();
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut entry = |key: &str, name: &str, data: &Data| {
        bytes.extend(text(&format!("[{key}\0;{name}\0;")));
        bytes.extend([&data.value_type.0.to_le_bytes()[..], b";\0"].concat());
        bytes.extend([&(data.bytes.len() as u32).to_le_bytes()[..], b";\0", &data.bytes, b"]\0"].concat());
    };
    let is_one = |key: &KeyPath| key.root() == RootKey::Hklm && key.depth() > 1 && is_picked(&Key::new(key.clone()));
    let keys = || document.keys().filter(|key| is_one(key));
    for key in keys() {
        let above = key.parent().unwrap();
        if !keys().any(|other| above.is_within(other)) {
            entry(above.below_root(), "**DeleteKeys", &Data::sz(key.last().unwrap()));
        }
    }
    for key in keys() {
        entry(key.below_root(), "", &Data::new(ValueType::NONE, []));
        for (name, data) in document.values(key).iter().flat_map(|values| values.iter()) {
            entry(key.below_root(), name.as_str(), data.unwrap());
        }
    }
    assert!(pol::Document::parse(bytes.clone(), RootKey::Hklm).unwrap().unreadable().is_none());
    bytes
}

/// Writes the hive that is mounted at a key, with the described content of the key.
pub(crate) fn hive(document: &Document, mount: &KeyPath, file: &Path) {
    let now = Filetime::now();
    let mut hive = Hive::create(now).unwrap();
    let mut editor = hive.edit(now).unwrap();
    match mount.to_string().as_str() {
        r"HKLM\SYSTEM" => {
            editor.create_key("Select").unwrap();
            editor.set_value("Select", "Current", &Data::dword(2)).unwrap();
            editor.create_key(r"ControlSet002\Services").unwrap();
        }
        r"HKLM\SOFTWARE" => {
            let windows = r"Microsoft\Windows NT\CurrentVersion";
            editor.create_key(windows).unwrap();
            editor.set_value(windows, "SystemRoot", &Data::sz(r"C:\Windows")).unwrap();
        }
        _ => {}
    }
    for key in document.keys() {
        let Some(below) = key.relative_to(mount) else { continue };
        // A hive file has no CurrentControlSet: the key Select names the current set.
        let below = below.replace("CurrentControlSet", "ControlSet002");
        editor.create_key(&below).unwrap();
        for (name, data) in document.values(key).iter().flat_map(|values| values.iter()) {
            editor.set_value(&below, name.as_str(), data.unwrap()).unwrap();
        }
        // An export can omit a key that every Windows has.
        let is_profile = key.parent().is_some_and(|above| above.to_string().ends_with(r"\CurrentVersion\ProfileList"));
        let folder = ValueName::new("ProfileImagePath").unwrap();
        if is_profile && document.values(key).is_none_or(|values| values.get(&folder).is_none()) {
            editor.set_value(&below, folder.as_str(), &Data::sz(&users_folder(key))).unwrap();
        }
    }
    drop(editor);
    write(file, &hive.to_bytes(now).unwrap());
}
