//! Tests an NTFS volume, made by mkntfs and mounted by ntfs-3g: what Windows stores about a hive file in addition to
//! its bytes is kept.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kbfix::targets::{Answer, Reason};

use super::support::{Machine, NTUSER, SYSTEM};

/// An NTFS volume in a file, unmounted when dropped.
struct Volume {
    folder: tempfile::TempDir,
}

impl Volume {
    /// Returns `None` if the programs are absent or mounting is not permitted.
    fn new() -> Option<Self> {
        let volume = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(volume.root()).unwrap();
        let file = fs::File::create(volume.file()).unwrap();
        file.set_len(32 << 20).unwrap();
        let made = run("mkntfs", [OsStr::new("-QFq"), volume.file().as_os_str()]);
        if let Err(why) = made.and_then(|()| volume.mount("rw")) {
            println!("SKIPPED: no NTFS volume can be mounted here: {why}");
            return None;
        }
        Some(volume)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("volume.img")
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    fn mount(&self, how: &str) -> Result<(), String> {
        run("ntfs-3g", [OsStr::new("-o"), OsStr::new(how), self.file().as_os_str(), self.root().as_os_str()])
    }

    fn unmount(&self) -> Result<(), String> {
        run("umount", [self.root()])
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = self.unmount();
    }
}

fn run(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Returns the permissions, the attributes, the creation time and a named stream of the file.
fn beside_the_bytes(file: &Path) -> Vec<Option<Vec<u8>>> {
    let names = ["system.ntfs_acl", "system.ntfs_attrib", "system.ntfs_crtime", "user.stream"];
    names.map(|name| xattr::get(file, name).unwrap()).to_vec()
}

const USER: &str = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKCU\\Control Panel\\kbfix test\n    values: { v: { type: REG_SZ, data: a } }\n";

#[test]
fn attributes_permissions_and_streams_of_a_hive_stay() {
    let Some(volume) = Volume::new() else { return };
    let machine = Machine::at(volume.root());
    let hives = [SYSTEM, NTUSER].map(|hive| machine.path(hive));
    for hive in &hives {
        // Hidden, system and archive, as Windows keeps NTUSER.DAT.
        xattr::set(hive, "system.ntfs_attrib", &0x26_u32.to_le_bytes()).unwrap();
        xattr::set(hive, "system.ntfs_crtime", &0x01C5_0000_0000_0000_u64.to_le_bytes()).unwrap();
        xattr::set(hive, "user.stream", b"of the file").unwrap();
        // The owner becomes the group Users instead of Administrators.
        let mut permissions = xattr::get(hive, "system.ntfs_acl").unwrap().unwrap();
        let owner = u32::from_le_bytes(permissions[4..8].try_into().unwrap()) as usize;
        assert_eq!(permissions[owner + 12..owner + 16], 544_u32.to_le_bytes());
        permissions[owner + 12..owner + 16].copy_from_slice(&545_u32.to_le_bytes());
        xattr::set(hive, "system.ntfs_acl", &permissions).unwrap();
    }
    let kept = hives.each_ref().map(|hive| beside_the_bytes(hive));
    assert!(kept.iter().flatten().all(Option::is_some), "{kept:?}");
    let before = machine.content();

    let spec = machine.beside("user.yaml", USER);
    machine.kbfix(&["apply", "KB909094", spec.to_str().unwrap()]).exits(0).says("2 values created");
    assert_ne!(machine.content(), before);
    assert_eq!(hives.each_ref().map(|hive| beside_the_bytes(hive)), kept);
    // The volume is mounted again, so that the driver reads it again.
    volume.unmount().unwrap();
    volume.mount("rw").unwrap();
    machine.kbfix(&["diff", "KB909094", spec.to_str().unwrap()]).exits(0);
    machine.kbfix(&["rollback", "--last"]).exits(0);
    assert_eq!(machine.content(), before);
    assert_eq!(hives.each_ref().map(|hive| beside_the_bytes(hive)), kept);
}

#[test]
fn a_volume_that_is_mounted_for_reading_is_read_and_not_written() {
    let Some(volume) = Volume::new() else { return };
    let machine = Machine::at(volume.root());
    volume.unmount().unwrap();
    volume.mount("ro").unwrap();
    machine.kbfix(&["diff", "KB909094"]).exits(1);
    let files = machine.files();
    machine.kbfix(&["apply", "KB909094"]).exits(5).says("Read-only file system");
    assert!(machine.files() == files, "something was written");
}

#[test]
fn a_folder_is_found_by_its_short_name() {
    let Some(volume) = Volume::new() else { return };
    let folder = volume.root().join("Program Files/Exchsrvr/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("exprox.dll"), b"no pe").unwrap();
    xattr::set(volume.root().join("Program Files"), "system.ntfs_dos_name", b"PROGRA~1").unwrap();
    let mut drive = kbfix::targets::drives::DriveFolder::open(&volume.root()).unwrap();
    assert_eq!(drive.find(r"C:\progra~1\exchsrvr\bin\exprox.dll"), Answer::Present(folder.join("exprox.dll")));
    assert_eq!(drive.find(r"C:\PROGRA~1\no.dll"), Answer::Absent);
    assert!(matches!(drive.find(r"C:\PROGRA~2\Exchsrvr"), Answer::Unread(why) if why.reason == Reason::Unknown));
}

/// The drivers give everyone all rights to a new file, and then everyone could set the policy of the machine.
#[test]
fn a_policy_that_is_made_has_the_permissions_of_its_folder() {
    let Some(volume) = Volume::new() else { return };
    let machine = Machine::at(volume.root());
    let folder = machine.path("Windows/System32");
    let acl = |path: &Path| xattr::get(path, "system.ntfs_acl").unwrap().unwrap();
    // Owner and group are administrators, who have full rights; nobody else has any.
    let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    let header = [1, 0, 4, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0];
    let list = [2, 0, 32, 0, 1, 0, 0, 0, 0, 0, 24, 0, 0xFF, 1, 0x1F, 0];
    let wanted = [&header[..], &administrators, &administrators, &list, &administrators].concat();
    xattr::set(&folder, "system.ntfs_acl", &wanted).unwrap();
    let wanted = acl(&folder);
    let rule = "  - key: HKLM\\SOFTWARE\\Policies\\Vendor\n    values: { v: { type: REG_DWORD, data: 1 } }\n";
    let spec = machine.beside("policy.yaml", &format!("kbfix: 1\nid: P\ntitle: P\nregistry:\n{rule}"));
    machine.kbfix(&["apply", spec.to_str().unwrap(), "--through-policy"]).exits(0);
    let policy = folder.join("GroupPolicy");
    for path in [policy.clone(), policy.join("Machine"), policy.join("Machine/Registry.pol"), policy.join("gpt.ini")] {
        assert_eq!(acl(&path), wanted, "{}", path.display());
    }
    machine.kbfix(&["rollback", "--last"]).exits(0);
    assert_eq!(acl(&policy.join("Machine/Registry.pol")), wanted);
}
