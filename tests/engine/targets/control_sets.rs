//! Tests a rollback after another run has made another control set the current one: the rollback changes the set that
//! the apply wrote to.

use std::{fs, path::Path};

use kbfix::{
    diag::Exit,
    example,
    format::regf::{Filetime, Hive},
    journal::{Journal, Store},
    operation::{self, ApplyOptions, Request, RollbackOptions, report::Report},
    registry::{Data, Key, ValueName},
    spec::{self, Settings},
    targets::{
        Address, Answer, ChangeAction, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError,
        ValueSelection, WriteFailure, open,
    },
};

use crate::targets::kinds::{change, value};

const SPEC: &str = r"
kbfix: 1
id: SET
title: changes two services
registry:
- key: HKLM\SYSTEM\CurrentControlSet\Services\Evil
  values:
    V: {type: REG_DWORD, data: 7}
- {key: HKLM\SYSTEM\CurrentControlSet\Services\Gone, ensure: absent}
";

const SETS: [&str; 2] = ["ControlSet001", "ControlSet002"];
const SYSTEM: &str = "Windows/System32/config/SYSTEM";

/// A target with two control sets that have the same services.
struct Sets {
    address: Address,
    folder: tempfile::TempDir,
}

impl Sets {
    fn image(uri: impl Fn(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("volume");
        example::make(&root).unwrap();
        let file = root.join(SYSTEM);
        let mut hive = Hive::open(fs::read(&file).unwrap(), &[]).unwrap();
        for set in SETS {
            let mut editor = hive.edit(Filetime::now()).unwrap();
            editor.create_key(&format!(r"{set}\Services\Gone\Below")).unwrap();
            editor.set_value(&format!(r"{set}\Services\Gone"), "x", &Data::dword(1)).unwrap();
        }
        fs::write(&file, hive.to_bytes(Filetime::now()).unwrap()).unwrap();
        let address = Address::new(&uri(&root), None, None).unwrap();
        Self { address, folder }
    }

    /// Returns an export that lists the services of these sets.
    fn export(sets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let system = r"[HKEY_LOCAL_MACHINE\SYSTEM";
        let mut text = format!(
            "Windows Registry Editor Version 5.00\r\n\r\n{system}]\r\n\r\n{system}\\Select]\r\n\"Current\"=dword:00000001\r\n\r\n"
        );
        for set in sets {
            let services = format!("{system}\\{set}\\Services");
            text.push_str(&format!(
                "{services}]\r\n\r\n{services}\\Gone]\r\n\"x\"=dword:00000001\r\n\r\n{services}\\Gone\\Below]\r\n\r\n"
            ));
        }
        let file = folder.path().join("machine.reg");
        fs::write(&file, text).unwrap();
        let address = Address::new(&format!("reg:{}", file.display()), None, None).unwrap();
        Self { address, folder }
    }

    fn journals(&self) -> Store {
        Store::new(Some(&self.folder.path().join("state"))).unwrap()
    }

    fn apply(&self) -> Journal {
        let source = spec::Source { name: "test.yaml", bytes: SPEC.as_bytes() };
        let request = Request::Specs(spec::load_all(&[source], &Settings::new()).into_specs().unwrap());
        let mut target = open(&self.address).unwrap();
        let options = ApplyOptions::default();
        let report =
            operation::apply(request, &options, self.address.clone(), target.as_mut(), &self.journals(), &mut ())
                .unwrap();
        assert_eq!((report.exit_code, report.changed), (Exit::Done, true));
        self.journals().list().unwrap().0.pop().unwrap()
    }

    fn roll_back(&self, journal: Journal) -> Report {
        let mut target = open(&self.address).unwrap();
        let options = RollbackOptions::default();
        operation::rollback(journal, None, options, self.address.clone(), target.as_mut(), &self.journals(), &mut ())
            .unwrap()
    }

    /// Changes the number of the current control set, as another run would.
    fn select(&self, from: u32, to: u32) {
        let select = [value("Current", Some(Data::dword(from)), Some(Data::dword(to)))];
        let key: Key = r"HKLM\SYSTEM\Select".parse().unwrap();
        open(&self.address).unwrap().write(&[change(&key, ChangeAction::Update, select)]).unwrap();
    }

    /// Returns the services of a set: V of Evil, x of Gone, and whether Gone\Below exists.
    fn services(&self, set: &str) -> (Answer<Data>, Answer<Data>, bool) {
        let mut target = open(&self.address).unwrap();
        let mut ask = |service: &str, name: Option<&str>| {
            let key = format!(r"HKLM\SYSTEM\{set}\Services\{service}").parse().unwrap();
            let names = name.iter().map(|name| ValueName::new(*name).unwrap()).collect();
            let query = KeyQuery { key, values: ValueSelection::Names(names), subkeys: false };
            target.read_keys(&[query]).unwrap().remove(0)
        };
        let mut data = |service: &str, name: &str| match ask(service, Some(name)) {
            Answer::Present(facts) => facts.values.into_iter().next().unwrap().1,
            Answer::Absent => Answer::Absent,
            Answer::Unread(why) => panic!("{why}"),
        };
        let (evil, gone) = (data("Evil", "V"), data("Gone", "x"));
        (evil, gone, matches!(ask(r"Gone\Below", None), Answer::Present(_)))
    }
}

const SEVEN: fn() -> Answer<Data> = || Answer::Present(Data::dword(7));
const ONE: fn() -> Answer<Data> = || Answer::Present(Data::dword(1));

#[test]
fn a_rollback_puts_back_in_the_set_that_the_apply_wrote_to() {
    let hive = |root: &Path| format!(r"hive:{}=HKLM\SYSTEM", root.join(SYSTEM).display());
    for sets in [Sets::image(|root| format!("image:{}", root.display())), Sets::image(hive), Sets::export(&SETS)] {
        println!("{}", sets.address.uri);
        let (before, after) = ((Answer::Absent, ONE(), true), (SEVEN(), Answer::Absent, false));
        let journal = sets.apply();
        assert_eq!(journal.header.control_set, Some(1));
        assert_eq!((sets.services(SETS[0]), sets.services(SETS[1])), (after.clone(), before.clone()));

        // The same change was made in the other set, which is then the current one. The journal is not about that set.
        sets.select(1, 2);
        let other = sets.apply();
        assert_eq!(other.header.control_set, Some(2));
        assert_eq!((sets.services(SETS[0]), sets.services(SETS[1])), (after.clone(), after.clone()));

        let report = sets.roll_back(journal);
        assert_eq!((report.exit_code, report.changed), (Exit::Done, true), "{:?}", report.diagnostics);
        let warning = &report.diagnostics[0];
        assert_eq!(warning.code.to_string(), "other-control-set");
        assert!(warning.message.contains("ControlSet001"), "{}", warning.message);
        assert_eq!((sets.services(SETS[0]), sets.services(SETS[1])), (before.clone(), after.clone()));

        // The keys of a redo have the number of the control set in their name.
        let redo = sets.journals().list().unwrap().0.pop().unwrap();
        assert_eq!(redo.header.control_set, None);
        sets.select(2, 1);
        assert_eq!(sets.roll_back(redo).exit_code, Exit::Done);
        assert_eq!((sets.services(SETS[0]), sets.services(SETS[1])), (after.clone(), after.clone()));
        assert_eq!(sets.roll_back(other).exit_code, Exit::Done);
        assert_eq!((sets.services(SETS[0]), sets.services(SETS[1])), (after, before));
    }
}

/// The rollback then does not say that another control set is the current one.
#[test]
fn a_rollback_says_if_the_current_set_is_not_known() {
    let sets = Sets::export(&SETS);
    let journal = sets.apply();
    let file = sets.folder.path().join("machine.reg");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"Current\"=dword:00000001", "\"Current\"=\"x\"")).unwrap();
    let report = sets.roll_back(journal);
    assert_eq!((report.exit_code, report.changed), (Exit::Done, true), "{:?}", report.diagnostics);
    let message = &report.diagnostics[0].message;
    assert!(message.contains("it is not known whether this is still the current control set: "), "{message}");
}

#[test]
fn an_export_that_lists_the_current_set_itself_has_no_number_for_it() {
    let sets = Sets::export(&["CurrentControlSet", "ControlSet001", "ControlSet002"]);
    let before = sets.services("CurrentControlSet");
    let journal = sets.apply();
    assert_eq!(journal.header.control_set, None);
    sets.select(1, 2);
    let report = sets.roll_back(journal);
    assert_eq!((report.exit_code, report.diagnostics.len()), (Exit::Done, 0), "{:?}", report.diagnostics);
    for set in ["CurrentControlSet", "ControlSet001", "ControlSet002"] {
        assert_eq!(sets.services(set), before, "{set}");
    }
}

/// A target that does not report its control set.
struct Silent(Box<dyn Target>);

impl Target for Silent {
    fn uri(&self) -> String {
        self.0.uri()
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        self.0.read_keys(queries)
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        self.0.read_files(paths)
    }

    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        Ok(Answer::unread(Reason::Denied, "nobody may read it"))
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        self.0.lock()
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        self.0.write(changes)
    }
}

#[test]
fn where_the_set_cannot_be_named_nothing_is_written_but_what_was_is_put_back() {
    let sets = Sets::export(&SETS);
    let (before, file) = (sets.services(SETS[0]), fs::read(sets.folder.path().join("machine.reg")).unwrap());
    let mut silent = Silent(open(&sets.address).unwrap());
    let source = spec::Source { name: "test.yaml", bytes: SPEC.as_bytes() };
    let request = Request::Specs(spec::load_all(&[source], &Settings::new()).into_specs().unwrap());
    let (options, address, folder) = (ApplyOptions::default(), sets.address.clone(), sets.journals());
    let error = operation::apply(request, &options, address, &mut silent, &folder, &mut ()).unwrap_err();
    assert_eq!(error.exit, Exit::Unusable);
    assert!(error.to_string().contains("nobody may read it"), "{error}");
    assert_eq!(fs::read(sets.folder.path().join("machine.reg")).unwrap(), file);
    assert!(sets.journals().list().unwrap().0.is_empty());

    let journal = sets.apply();
    let (options, address) = (RollbackOptions::default(), sets.address.clone());
    let report = operation::rollback(journal, None, options, address, &mut silent, &folder, &mut ()).unwrap();
    assert_eq!(report.exit_code, Exit::Done, "{:?}", report.diagnostics);
    assert_eq!(sets.services(SETS[0]), before);
}
