//! The example machine in a folder of its own, and ways to look at it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::SystemTime,
};

use kbfix::{
    example,
    format::regf::{Filetime, Hive},
    registry::{Data, Key, ValueName},
    targets::{Address, Answer, KeyFacts, KeyQuery, Reason, Target, ValueSelection, open},
};

pub(crate) const SYSTEM: &str = "Windows/System32/config/SYSTEM";
pub(crate) const SOFTWARE: &str = "Windows/System32/config/SOFTWARE";
pub(crate) const NTUSER: &str = "Documents and Settings/Administrator/NTUSER.DAT";

/// A machine in a folder that is deleted on drop.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) root: PathBuf,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("volume");
        example::make(&root).unwrap();
        Self { folder, root }
    }

    /// Creates the machine in an empty folder, which is not deleted.
    pub(crate) fn at(root: PathBuf) -> Self {
        let machine = Self::new();
        let copied = Command::new("cp").arg("-rT").args([&machine.root, &root]).status().unwrap();
        assert!(copied.success());
        Self { root, ..machine }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub(crate) fn uri(&self) -> String {
        format!("image:{}", self.root.display())
    }

    pub(crate) fn target(&self) -> Box<dyn Target> {
        open(&Address::new(&self.uri(), None, None).unwrap()).unwrap()
    }

    /// Writes a file next to the volume, and returns its path.
    pub(crate) fn beside(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs kbfix on the machine.
    pub(crate) fn kbfix(&self, arguments: &[&str]) -> Run {
        Run(self.command(arguments).output().unwrap())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(arguments).env("KBFIX_STATE_DIR", self.folder.path().join("state"));
        if arguments[0] != "rollback" {
            command.args(["--target", &self.uri()]);
        }
        command.env_remove("KBFIX_TARGET");
        command
    }

    /// Edits a hive with the codec only.
    pub(crate) fn edit(&self, file: &str, edit: impl FnOnce(&mut kbfix::format::regf::Editor<'_>)) {
        let path = self.path(file);
        let mut hive = Hive::open(fs::read(&path).unwrap(), &[]).unwrap();
        edit(&mut hive.edit(Filetime::now()).unwrap());
        fs::write(&path, hive.to_bytes(Filetime::now()).unwrap()).unwrap();
    }

    /// Returns the content of all hives: keys and values by path, without times.
    pub(crate) fn content(&self) -> BTreeMap<String, Vec<(String, Data)>> {
        let mut all = BTreeMap::new();
        for file in [SYSTEM, SOFTWARE, NTUSER] {
            let hive = Hive::open(fs::read(self.path(file)).unwrap(), &[]).unwrap();
            for (path, key) in crate::hives::support::dump(&hive) {
                all.insert(format!("{file}\\{path}"), key.values);
            }
        }
        all
    }

    /// Returns the bytes and the time of every file.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let time = fs::metadata(&path).unwrap().modified().unwrap();
                    files.insert(path.clone(), (fs::read(path).unwrap(), time));
                }
            }
        }
        files
    }
}

/// The result of a run of kbfix.
pub(crate) struct Run(pub(crate) Output);

impl Run {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.0.stdout), String::from_utf8_lossy(&self.0.stderr))
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text().contains(text), "`{text}` is not in: {}", self.text());
        self
    }
}

pub(crate) fn key(text: &str) -> Key {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> ValueName {
    ValueName::new(text).unwrap()
}

pub(crate) fn ask(target: &mut dyn Target, query: KeyQuery) -> Answer<KeyFacts> {
    target.read_keys(&[query]).unwrap().remove(0)
}

/// Returns whether the key exists.
pub(crate) fn exists(target: &mut dyn Target, path: &str) -> Answer<()> {
    let query = KeyQuery { key: key(path), values: ValueSelection::Names(Default::default()), subkeys: false };
    ask(target, query).map(drop)
}

/// Returns one value of a key.
pub(crate) fn value(target: &mut dyn Target, key: Key, value: &str) -> Answer<Data> {
    let query = KeyQuery { key, values: ValueSelection::Names([name(value)].into()), subkeys: false };
    match ask(target, query) {
        Answer::Present(mut facts) => facts.values.remove(&name(value)).unwrap(),
        Answer::Absent => Answer::Absent,
        Answer::Unread(why) => Answer::Unread(why),
    }
}

/// Returns the names of a key's subkeys.
pub(crate) fn subkeys(target: &mut dyn Target, path: &str) -> Vec<String> {
    let query = KeyQuery { key: key(path), values: ValueSelection::Names(Default::default()), subkeys: true };
    let Answer::Present(facts) = ask(target, query) else { panic!("{path} has no answer") };
    facts.subkeys.unwrap().known().unwrap().unwrap().iter().map(ToString::to_string).collect()
}

pub(crate) fn reason<T>(answer: &Answer<T>) -> Option<Reason> {
    match answer {
        Answer::Unread(why) => Some(why.reason),
        _ => None,
    }
}

/// Returns what hivexget reads in a key; `None` if hivexget is not installed.
pub(crate) fn hivexget(hive: &Path, key: &str) -> Option<String> {
    let Ok(output) = Command::new("hivexget").arg(hive).arg(key).output() else {
        println!("SKIPPED: hivexget is not installed (libhivex-bin)");
        return None;
    };
    let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Some(texts.concat())
}
