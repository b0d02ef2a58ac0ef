//! A Samba server on the loopback interface in place of a Windows machine, with a registry over MS-RRP and a share
//! `C$`.
//!
//! The server runs under a shell. When this process ends for any reason, the shell ends the server and removes its
//! folder. `net`, an independent implementation of MS-RRP, also writes and reads the registry. Needs smbd, pdbedit, net
//! and smbclient, and Samba's Python bindings; without them there is no server, and `SKIPPED: why` is printed.
#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use kbfix::{
    format::reg::Document,
    targets::{
        KeyQuery, Target as _, TargetError, ValueSelection,
        drives::Drives,
        smb::{Settings, SmbTarget},
    },
};

/// The password, which must appear nowhere.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// The shell script that ends the server when its standard input ends. It also ends samba-dcerpcd, which has the
/// registry and does not end with smbd.
const KEEPER: &str = r#"
smbd -s "$1/smb.conf" -F </dev/null >"$1/out" 2>&1 &
cat >/dev/null
for name in smbd samba-dcerpcd; do
    pid=$(cat "$1/pid/$name.pid" 2>/dev/null) && kill "$pid" 2>/dev/null
    sleep 0.3
done
rm -rf "$1"
"#;

/// The protocol of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Only SMB 1, as on Windows Server 2003.
    Smb1,
    /// SMB 2 and 3, as on later versions of Windows.
    Smb3,
}

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    speaks: Speaks,
    user: String,
    keeper: Option<Child>,
}

/// Returns why no server can run here, if that is so.
fn missing() -> Option<String> {
    let found = |program: &str| {
        let folders = std::env::var("PATH").unwrap_or_default();
        folders.split(':').any(|folder| Path::new(folder).join(program).exists())
    };
    if let Some(program) = ["smbd", "pdbedit", "net", "smbclient"].into_iter().find(|program| !found(program)) {
        return Some(format!("{program} is not installed"));
    }
    let bindings = Command::new("/usr/bin/python3").args(["-I", "-c", "import samba.dcerpc.winreg"]).output();
    (!bindings.is_ok_and(|output| output.status.success())).then(|| "Samba's Python bindings are not installed".into())
}

impl Server {
    /// Starts a server whose registry has only the keys that Samba creates; `None` if no server can run here.
    pub(crate) fn start(speaks: Speaks) -> Option<Self> {
        if let Some(why) = missing() {
            println!("SKIPPED: {why}");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("kbfix-smbd-").tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for name in ["private", "state", "cache", "lock", "pid", "ncalrpc", "share", "log", "kbfix"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let user = output(Command::new("id").arg("-un")).trim().to_owned();
        let mut server = Self { folder, port, speaks, user: user.clone(), keeper: None };
        fs::write(server.path("smb.conf"), server.configuration()).unwrap();
        server.account(&user, "auth", PASSWORD);
        server.resume();
        Some(server)
    }

    fn configuration(&self) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        let most = if self.speaks == Speaks::Smb1 { "NT1" } else { "SMB3" };
        let least = if self.speaks == Speaks::Smb1 { "NT1" } else { "SMB2" };
        let own =
            ["private dir", "state directory", "cache directory", "lock directory", "pid directory", "ncalrpc dir"];
        let own: String =
            own.iter().map(|name| format!("{name} = {folder}/{}\n", name.split(' ').next().unwrap())).collect();
        format!(
            "[global]\nserver role = standalone server\ninterfaces = 127.0.0.1/8\nbind interfaces only = yes\n\
             smb ports = {port}\ndisable netbios = yes\nserver min protocol = {least}\nserver max protocol = {most}\n\
             {own}log file = {folder}/log/%m\npassdb backend = tdbsam\nload printers = no\ndisable spoolss = yes\n\
             [C$]\npath = {folder}/share\nread only = no\n"
        )
    }

    /// Gives a user of this system a password, and writes a file of credentials.
    pub(crate) fn account(&self, user: &str, file: &str, password: &str) {
        let mut pdbedit = Command::new("pdbedit");
        pdbedit.arg("-s").arg(self.path("smb.conf")).args(["-a", "-t", "-u", user]);
        let mut child = pdbedit.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        use std::io::Write as _;
        write!(child.stdin.take().unwrap(), "{password}\n{password}\n").unwrap();
        assert!(child.wait().unwrap().success(), "pdbedit");
        self.credentials(user, file, password);
    }

    /// Writes a file of credentials.
    pub(crate) fn credentials(&self, user: &str, file: &str, password: &str) -> PathBuf {
        let path = self.path(file);
        fs::write(&path, format!("username = {user}\npassword = {password}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Starts the server, and waits until its registry answers.
    pub(crate) fn resume(&mut self) {
        let mut keeper = Command::new("/bin/sh");
        // If the tests are interrupted, the shell must only see the end of its input.
        keeper.args(["-c", KEEPER, "kbfix-smbd"]).arg(&self.folder).stdin(Stdio::piped());
        self.keeper = Some(keeper.spawn().unwrap());
        let started = Instant::now();
        let software = KeyQuery {
            key: r"HKLM\SOFTWARE".parse().unwrap(),
            values: ValueSelection::Names(Default::default()),
            subkeys: false,
        };
        loop {
            match self.target().read_keys(std::slice::from_ref(&software)) {
                Ok(_) => return,
                Err(TargetError::Remote { .. }) if started.elapsed() < Duration::from_secs(60) => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(why) => panic!("smbd: {why}: {}", fs::read_to_string(self.path("out")).unwrap_or_default()),
            }
        }
    }

    /// Kills the server immediately, as if the machine lost power. Its files stay.
    pub(crate) fn kill(&mut self) {
        let mut keeper = self.keeper.take().unwrap();
        for name in ["smbd", "samba-dcerpcd"] {
            let pid = fs::read_to_string(self.path(&format!("pid/{name}.pid"))).unwrap_or_default();
            let pid = pid.trim();
            // The child processes too: each connection and each service has its own process.
            let children = output(Command::new("pgrep").args(["-P", pid]));
            for pid in children.split_whitespace().chain([pid]) {
                Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status().unwrap();
            }
            let _ = fs::remove_file(self.path(&format!("pid/{name}.pid")));
        }
        // The shell is killed before it can remove the folder.
        keeper.kill().unwrap();
        keeper.wait().unwrap();
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URI of the target at this port, which is that of a proxy or of the server.
    pub(crate) fn uri_at(&self, port: u16) -> String {
        format!("smb://127.0.0.1:{port}{}", if self.speaks == Speaks::Smb1 { "?smb1" } else { "" })
    }

    pub(crate) fn uri(&self) -> String {
        self.uri_at(self.port)
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            file: Some(self.path("auth")),
            limit: Duration::from_secs(60),
            locks: Some(self.path("kbfix/kbfix/lock")),
            ..Settings::default()
        }
    }

    pub(crate) fn target(&self) -> SmbTarget {
        SmbTarget::open(self.uri().parse().unwrap(), Drives::default(), self.settings()).unwrap()
    }

    /// Returns a command that runs kbfix with the server's credentials in its environment and a state folder in the
    /// server's folder.
    pub(crate) fn kbfix(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(arguments).env("KBFIX_SMB_AUTH_FILE", self.path("auth"));
        command.env("XDG_STATE_HOME", self.path("kbfix"));
        for variable in ["KBFIX_TARGET", "KBFIX_STATE_DIR", "KBFIX_SMB_KERBEROS", "KBFIX_SMB_LIMIT", "KBFIX_SMB_PYTHON"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// Returns a command that runs Samba's own client on this server.
    pub(crate) fn net(&self, arguments: &[&str]) -> Command {
        let mut net = Command::new("net");
        net.args(["rpc", "registry", "-s", "/dev/null", "--option=client min protocol=NT1", "-S", "127.0.0.1"]);
        net.arg("-p").arg(self.port.to_string()).arg("-A").arg(self.path("auth")).args(arguments).env("LC_ALL", "C");
        net
    }

    /// Imports an export into the registry with Samba's own client.
    pub(crate) fn import(&self, export: &str) {
        let file = self.path("import.reg");
        fs::write(&file, format!("\u{FEFF}{}\r\n", export.trim_start_matches('\u{FEFF}'))).unwrap();
        let said = self.net(&["import"]).arg(&file).output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }

    /// Returns the export of a key by Samba's own client, with all data in hexadecimal digits; `None` if the key is
    /// absent.
    pub(crate) fn export(&self, key: &str) -> Option<Document> {
        let file = self.path("export.reg");
        let _ = fs::remove_file(&file);
        let said = self.net(&["export", key]).arg(&file).arg("regedit5,flags=0x2007").output().unwrap();
        match said.status.success() {
            true => Some(Document::parse(fs::read(&file).unwrap(), None).unwrap()),
            false if String::from_utf8_lossy(&said.stderr).contains("openkey failed: NT_STATUS_NO_SUCH_DEVICE") => None,
            // The client fails if values are added while it lists them.
            false if String::from_utf8_lossy(&said.stderr).contains("STATUS_MORE_ENTRIES") => self.export(key),
            false => panic!("{said:?}"),
        }
    }

    /// Runs Samba's own client on the files of the server's registry, without the network.
    pub(crate) fn on_disk(&self, arguments: &[&str]) -> Output {
        Command::new("net").arg("-s").arg(self.path("smb.conf")).arg("registry").args(arguments).output().unwrap()
    }

    pub(crate) fn is_root(&self) -> bool {
        self.user == "root"
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self.keeper.take() {
            Some(mut keeper) => {
                drop(keeper.stdin.take());
                let _ = keeper.wait();
            }
            None => drop(fs::remove_dir_all(&self.folder)),
        }
    }
}

fn output(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}
