//! Tests values of policy branches that are read and written in the local GPO of an image.

use std::{collections::BTreeMap, fs, path::PathBuf};

use kbfix::format::gpt_ini;
use serde_json::{Value, json};

use super::machine::{APPLIED, LOCAL, Machine, PolEntry, Run, codes, dword, gpo_name, pol};

const KEY: &str = r"Software\Policies\Vendor";
const SOFTWARE: &str = "Windows/System32/config/SOFTWARE";
const GPT_INI: &str = r"C:\Windows\System32\GroupPolicy\gpt.ini";

/// A spec with a value in a policy branch, and a value outside.
const BOTH: &str = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\Software\\Policies\\Vendor\n    values:\n      a: { type: \
                    REG_DWORD, data: 1 }\n  - key: HKLM\\SOFTWARE\\Vendor\n    values:\n      b: { type: REG_DWORD, data: 2 }\n";

struct Image(Machine);

impl Image {
    fn new() -> Self {
        let machine = Machine::new();
        machine.beside("both.yaml", BOTH);
        machine.beside("spec.yaml", &BOTH[..BOTH.find("  - key: HKLM\\SOFTWARE\\Vendor").unwrap()]);
        Self(machine)
    }

    /// Runs a command on the image.
    fn run(&self, arguments: &str) -> Run {
        let uri = self.0.uri();
        let mut words: Vec<&str> = arguments.split(' ').collect();
        if !["rollback", "journal"].contains(&words[0]) {
            words.extend(["--target", &uri]);
        }
        self.0.kbfix(&words)
    }

    fn report(&self, arguments: &str) -> Value {
        let run = self.run(&format!("{arguments} --format json"));
        serde_json::from_slice(&run.0.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.text()))
    }

    /// Sets a value of the registry itself.
    fn set(&self, key: &str, name: &str, number: u32) {
        self.0.hive(SOFTWARE, |hive| {
            hive.create_key(key).unwrap();
            hive.set_value(key, name, &kbfix::registry::Data::dword(number)).unwrap();
        });
    }

    fn hive(&self) -> Vec<u8> {
        fs::read(self.0.path(SOFTWARE)).unwrap()
    }

    fn policy(&self) -> Option<Vec<u8>> {
        fs::read(self.0.store(LOCAL)).ok()
    }

    fn versions(&self) -> (u16, u16) {
        gpt_ini::versions(&fs::read(self.0.store(GPT_INI)).unwrap()).unwrap()
    }

    /// Returns all files of the volume.
    fn files(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let bytes = if path.is_dir() { None } else { Some(fs::read(&path).unwrap()) };
                if bytes.is_none() {
                    folders.push(path.clone());
                }
                found.insert(path, bytes);
            }
        }
        found
    }
}

#[test]
fn the_policy_counts_and_not_what_the_registry_has() {
    let image = Image::new();
    image.set(r"Policies\Vendor", "a", 1);
    // The registry is in desired state, and the policy does not contain the value.
    image.run("diff spec.yaml").exits(0);
    image
        .run("diff spec.yaml --through-policy")
        .exits(1)
        .says("+\"a\"=dword:00000001")
        .says("1 of 1 key in the Registry.pol");
    image.0.write(LOCAL, &[dword(KEY, "a", 2)]);
    image.run("diff spec.yaml --through-policy").exits(1).says("-\"a\"=dword:00000002");
    image.0.write(LOCAL, &[dword(KEY, "a", 1)]);
    image.set(r"Policies\Vendor", "a", 3);
    image.run("diff spec.yaml --through-policy").exits(0);
    image.run("diff spec.yaml").exits(1);
}

#[test]
fn apply_writes_the_policy_and_rollback_gives_the_same_bytes() {
    let image = Image::new();
    let entries: [PolEntry; 3] = [dword(KEY, "other", 7), dword(KEY, "A", 2), dword(r"Software\Tattoo", "x", 1)];
    image.0.write(LOCAL, &entries);
    fs::write(image.0.store(GPT_INI), "[General]\r\ndisplayName=x\r\nVersion=65539\r\n").unwrap();
    let (hive, policy) = (image.hive(), image.policy());
    let report = image.report("apply spec.yaml --through-policy");
    assert_eq!((&report["changed"], &report["through_policy"]), (&json!(true), &json!(true)), "{report:#}");
    assert_eq!(image.hive(), hive);
    // The entry keeps its position and the spelling of its name.
    let wanted = pol(&[dword(KEY, "other", 7), dword(KEY, "A", 1), dword(r"Software\Tattoo", "x", 1)]);
    assert_eq!(image.policy(), Some(wanted));
    assert_eq!(image.versions(), (4, 1));
    assert!(fs::read_to_string(image.0.store(GPT_INI)).unwrap().contains("gPCMachineExtensionNames=[{35378EAC-"));
    image.run("diff spec.yaml --through-policy").exits(0);
    image.run("apply spec.yaml --through-policy").exits(0).says("nothing was changed");
    assert_eq!(image.versions(), (4, 1));
    image.run("rollback --last").exits(0);
    assert_eq!((image.hive(), image.policy()), (hive, policy));
    assert_eq!(image.versions(), (5, 1));
    image.run("journal list").exits(0).says("(with its local GPO)");
}

#[test]
fn a_policy_that_is_not_there_is_made_with_its_folders() {
    let image = Image::new();
    image.run("apply both.yaml --through-policy").exits(0).says("1 of 2 keys in the Registry.pol");
    assert_eq!(image.policy(), Some(pol(&[dword(KEY, "a", 1)])));
    assert_eq!(image.versions(), (1, 0));
    image.run("diff both.yaml --through-policy").exits(0);
    // The value outside policy branches is in the registry.
    image.run("diff both.yaml").exits(1).says("1 value to create");
    image.run("rollback --last").exits(0);
    assert_eq!(image.policy(), Some(pol(&[])));
    assert_eq!(image.versions(), (2, 0));
    image.run("diff both.yaml --through-policy").exits(1);
}

#[test]
fn a_write_that_fails_leaves_nothing() {
    let image = Image::new();
    let folder = image.0.store(r"C:\Windows\System32\GroupPolicy");
    let unchanged = |says: &str| {
        let before = image.files();
        image.run("diff both.yaml --through-policy").exits(1);
        image.run("apply both.yaml --through-policy").exits(5).says(says);
        assert!(image.files() == before);
    };
    fs::create_dir(&folder).unwrap();
    // The version cannot be raised. The folder `Machine`, which was created for the write, is removed again.
    fs::write(image.0.store(GPT_INI), "[General]\r\nVersion=many\r\n").unwrap();
    unchanged("gpt.ini: line 2: expected a version");
    image.run("apply both.yaml --through-policy --check").exits(5).says("gpt.ini: line 2: expected a version");
    fs::remove_file(image.0.store(GPT_INI)).unwrap();
    // Another kbfix process has the policy file as its target.
    #[cfg(unix)]
    {
        image.0.write(LOCAL, &[]);
        let _held = kbfix::targets::lock::lock_beside(&fs::canonicalize(image.0.store(LOCAL)).unwrap()).unwrap();
        unchanged("locked");
    }
}

/// The hive is written first, and undone if the policy cannot be.
#[cfg(target_os = "linux")]
#[test]
fn a_policy_that_cannot_be_written_undoes_the_hive() {
    use kbfix::registry::{Data, ValueType};

    use crate::policy_file;

    let image = Image::new();
    let large: Vec<PolEntry> = (0..40)
        .map(|at| policy_file::entry(KEY, &format!("v{at}"), &Data::new(ValueType::BINARY, vec![7; 60_000])))
        .collect();
    image.0.write(LOCAL, &large);
    let policy = image.policy();
    let before = image.report("diff both.yaml --through-policy");
    // Files larger than one megabyte cannot be written.
    let target = image.0.uri();
    let words = ["apply", "both.yaml", "--through-policy", "--target", &target];
    let run = image.0.limited("trap '' XFSZ; ulimit -f 1000;", &words).exits(5).says("Registry.pol");
    run.says("everything was restored");
    assert_eq!(image.policy(), policy);
    assert_eq!(image.report("diff both.yaml --through-policy")["digest"], before["digest"]);
    assert!(!image.0.store(GPT_INI).exists());
    // If the process is killed at that moment, only the hive is changed, and a rollback restores it.
    image.0.limited("ulimit -f 1000;", &words);
    assert_eq!(image.policy(), policy);
    image.run("diff both.yaml --through-policy").exits(1).says("1 value to update");
    image.run("rollback --last").exits(0);
    assert_eq!(image.report("diff both.yaml --through-policy")["digest"], before["digest"]);
}

#[test]
fn a_plan_and_a_journal_say_which_place_they_change() {
    let image = Image::new();
    image.run("diff spec.yaml --through-policy --out through.json").exits(1);
    image.run("diff spec.yaml --out plain.json").exits(1);
    let plan = |name: &str| fs::read_to_string(image.0.beside("unused", "").with_file_name(name)).unwrap();
    let through: Value = serde_json::from_str(&plan("through.json")).unwrap();
    let plain: Value = serde_json::from_str(&plan("plain.json")).unwrap();
    assert_eq!((&through["through_policy"], &plain["through_policy"]), (&json!(true), &Value::Null));
    assert_ne!(through["digest"], plain["digest"]);
    image
        .run("apply --plan plain.json --through-policy")
        .exits(2)
        .says("other-place")
        .says("made for the target's registry");
    let hive = format!(r"hive:{}=HKLM\SOFTWARE", image.0.path(SOFTWARE).display());
    let other = image.0.kbfix(&["apply", "--plan", "through.json", "--target", &hive]).exits(2);
    other.says("other-place").says("the plan was made for the local GPO of the target");
    let before = image.hive();
    // The plan says itself that it changes the policy.
    image.run("apply --plan through.json").exits(0);
    assert_eq!((image.hive(), image.policy()), (before.clone(), Some(pol(&[dword(KEY, "a", 1)]))));
    let journal = image.0.kbfix(&["rollback", "--last", "--target", &hive]).exits(2);
    journal.says("no journal of the target hive:");
    image.0.kbfix(&["rollback", "--last", "--target", &image.0.uri()]).exits(0);
    assert_eq!((image.hive(), image.policy()), (before, Some(pol(&[]))));
}

#[test]
fn the_local_gpo_owns_no_value_that_is_written_to_it() {
    let image = Image::new();
    image.0.write(LOCAL, &[dword(KEY, "a", 2), dword(r"Software\Vendor", "b", 3)]);
    let report = image.report("diff both.yaml --through-policy");
    let owners = report["specs"][0]["policy"].as_array().unwrap();
    // The policy still sets the value outside policy branches, which is written to the registry.
    assert_eq!(owners.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(), ["b"], "{report:#}");
    // The policies that were applied last may come from the local GPO, and then change with it.
    image.0.write(LOCAL, &[]);
    for (comments, result, code) in [
        (vec![], "may_undo", "policy-unknown"),
        (vec![gpo_name("Local Group Policy")], "may_undo", "policy-unknown"),
        (vec![gpo_name("Baseline")], "undoes", "policy-owned"),
    ] {
        image.0.write(APPLIED, &[comments, vec![dword(KEY, "a", 2)]].concat());
        let report = image.report("diff both.yaml --through-policy");
        assert_eq!(report["specs"][0]["policy"][0]["result"], result, "{report:#}");
        assert_eq!(codes(&report), [code]);
        image.run("diff both.yaml --through-policy --out plan.json").exits(1);
        image.run("diff --plan plan.json").exits(1);
    }
    // Without the option, the value is written to the registry, and a policy refresh will undo that.
    assert_eq!(image.report("diff both.yaml")["specs"][0]["policy"][0]["result"], "undoes");
}

#[test]
fn the_policy_of_users_is_refused() {
    let image = Image::new();
    let rule = "  - key: HKCU\\Software\\Policies\\Vendor\n    values: { u: { type: REG_DWORD, data: 1 } }\n";
    image.0.beside("user.yaml", &format!("{BOTH}{rule}"));
    let before = image.files();
    let diff = image.run("diff user.yaml --through-policy").exits(4);
    diff.says("warning[policy-of-users]").says("one policy for all users").says("pol:FILE=HKCU");
    image.run("apply user.yaml --through-policy").exits(4).says("error[policy-of-users]");
    assert!(image.files() == before);
    // In the registry, each user has an own value.
    image.run("diff user.yaml").exits(1);
}

#[test]
fn a_policy_that_windows_does_not_process_is_told() {
    let image = Image::new();
    image.0.write(LOCAL, &[dword(KEY, "a", 1)]);
    let says = |text: &str| {
        let run = image.run("diff spec.yaml --through-policy").exits(0);
        run.says("policy-not-processed").says(text);
    };
    says("gpt.ini does not exist");
    fs::write(image.0.store(GPT_INI), "[General]\r\nVersion=65536\r\n").unwrap();
    says("the version number for the machine settings is 0, which means that there are none");
    fs::write(image.0.store(GPT_INI), "[General]\r\nVersion=1\r\n").unwrap();
    says("does not name the extension for registry settings");
    let file = format!("pol:{}", image.0.store(LOCAL).display());
    image.0.kbfix(&["diff", "spec.yaml", "--target", &file]).exits(0).says("policy-not-processed");
    // The next write corrects that.
    image.run("apply both.yaml --through-policy").exits(0).says("policy-not-processed");
    image.0.write(LOCAL, &[]);
    let run = image.run("apply both.yaml --through-policy").exits(0);
    assert!(!run.text().contains("policy-not-processed"), "{}", run.text());
    assert!(!image.run("diff both.yaml --through-policy").exits(0).text().contains("policy-not-processed"));
}

#[test]
fn it_is_not_known_whether_windows_processes_a_policy_whose_version_cannot_be_read() {
    let image = Image::new();
    image.0.write(LOCAL, &[dword(KEY, "a", 1)]);
    let file = format!("pol:{}", image.0.store(LOCAL).display());
    let says = |why: &str| {
        let named = image.0.kbfix(&["diff", "spec.yaml", "--target", &file]);
        for run in [image.run("diff spec.yaml --through-policy"), named] {
            let text = run.exits(0).text();
            assert!(text.contains("policy-not-processed]: it is not known whether Windows processes "), "{text}");
            assert!(text.contains(why) && text.contains("check that gpt.ini is a file"), "{text}");
            assert!(!text.contains("correct gpt.ini"), "{text}");
        }
    };
    fs::write(image.0.store(GPT_INI), "[General]\r\nVersion=many\r\n").unwrap();
    says("gpt.ini: line 2: expected a version number from 0 to 4294967295, found `many`");
    fs::remove_file(image.0.store(GPT_INI)).unwrap();
    fs::create_dir(image.0.store(GPT_INI)).unwrap();
    says("gpt.ini: it is not a file");
}

#[test]
fn what_the_policy_file_does_not_show_is_unknown() {
    let image = Image::new();
    image.set(r"Policies\Vendor", "a", 1);
    let gone = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\Software\\Policies\\Vendor\n    ensure: absent\n";
    image.0.beside("gone.yaml", gone);
    image.run("diff gone.yaml --through-policy").exits(4).says("not configured");
    image.0.write(LOCAL, &[dword(KEY, "**soft.a", 1)]);
    image.run("diff spec.yaml --through-policy").exits(4).says("soft");
    fs::write(image.0.store(LOCAL), "no policy").unwrap();
    image.run("diff spec.yaml --through-policy").exits(3).says("target-malformed").says("Registry.pol");
    // The file is read only for values in a policy branch.
    image.0.beside("other.yaml", &BOTH.replace("Policies\\Vendor", "Other"));
    image.run("apply other.yaml --through-policy").exits(0);
    #[cfg(unix)]
    {
        let outside = image.0.beside("outside.pol", "");
        fs::write(&outside, pol(&[])).unwrap();
        fs::remove_file(image.0.store(LOCAL)).unwrap();
        std::os::unix::fs::symlink(&outside, image.0.store(LOCAL)).unwrap();
        image.run("apply spec.yaml --through-policy").exits(4).says("leads out of");
        assert_eq!(fs::read(&outside).unwrap(), pol(&[]));
    }
}

#[test]
fn a_spec_is_retired_in_each_place() {
    let image = Image::new();
    image.run("apply both.yaml --through-policy").exits(0);
    image.run("retire T").exits(2).says("other-place").says("in the local GPO");
    image.run("apply both.yaml").exits(0);
    // The value outside of policy branches is in the registry either way, and the first apply has changed it.
    image.run("retire T").exits(0).says("warning[other-place]").says("with the option for the local GPO");
    image.run("diff both.yaml").exits(1).says("2 values to create");
    assert_eq!(image.policy(), Some(pol(&[dword(KEY, "a", 1)])));
    image.run("retire T --through-policy --out plan.json").exits(1);
    image.run("apply --plan plan.json").exits(0);
    assert_eq!(image.policy(), Some(pol(&[])));
    image.run("diff both.yaml --through-policy").exits(1);
}
