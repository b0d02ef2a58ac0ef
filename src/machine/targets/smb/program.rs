//! Runs smbclient or Python with a time limit, so that a machine that does not answer cannot block kbfix.

use std::{
    io::{self, Read, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::Trouble;

/// The maximum number of bytes that kbfix reads from each output stream of a program.
const MAX_OUTPUT: u64 = 512 << 20;

/// Environment variables that kbfix does not pass to the program: from these, Samba would take an account, a password,
/// a setting or the language of messages.
const NOT_PASSED_ON: [&str; 7] = ["USER", "LOGNAME", "PASSWD", "PASSWD_FD", "PASSWD_FILE", "SMB_CONF_PATH", "LANGUAGE"];

/// The output of a program on its two output streams, and whether the program succeeded.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) success: bool,
    pub(super) out: Vec<u8>,
    pub(super) error: Vec<u8>,
}

impl Said {
    /// Returns the text of both output streams, that of standard error first.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", String::from_utf8_lossy(&self.error), String::from_utf8_lossy(&self.out))
    }
}

/// Runs a program with `input` on its standard input. The input stays open until the program has ended, so that the
/// program notices if kbfix is killed.
///
/// # Errors
/// Returns [`Trouble::Program`] if the program cannot be started, [`Trouble::Silent`] if it was killed because it took
/// longer than `limit`, and [`Trouble::Local`] if this system cannot wait for it or gives no access to its streams.
pub(super) fn run(command: &mut Command, input: &[u8], limit: Duration) -> Result<Said, Trouble> {
    let program = command.get_program().to_string_lossy().into_owned();
    for variable in NOT_PASSED_ON {
        command.env_remove(variable);
    }
    // kbfix searches the messages for English words.
    command.env("LC_ALL", "C");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| Trouble::Program { program, detail: error.to_string() })?;
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = streams else {
        return Err(Trouble::Local("the program's input or output streams are missing".to_owned()));
    };
    thread::scope(|scope| {
        let feeder = scope.spawn(move || {
            // If a program ends without reading its input, its own output says why.
            let _ = stdin.write_all(input);
            stdin
        });
        let out = scope.spawn(move || all_of(stdout));
        let error = scope.spawn(move || all_of(stderr));
        let ended = wait(&mut child, limit);
        drop(feeder.join());
        let (out, error) = (out.join().unwrap_or_default(), error.join().unwrap_or_default());
        match ended {
            Ok(Some(status)) => Ok(Said { success: status.success(), out, error }),
            Ok(None) => Err(Trouble::Silent(limit.as_secs())),
            Err(why) => Err(Trouble::Local(format!("waiting for the program failed: {why}"))),
        }
    })
}

fn all_of(stream: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // After an error, the bytes before it are still used.
    let _ = stream.take(MAX_OUTPUT).read_to_end(&mut bytes);
    bytes
}

/// Waits until the program ends. Returns `None` if the program was killed because it took longer than `limit`.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::smb::program::*;

    fn shell(script: &str, limit: u64) -> Result<Said, Trouble> {
        run(Command::new("/bin/sh").args(["-c", script]), b"a line\n", Duration::from_millis(limit))
    }

    #[test]
    fn it_is_fed_heard_and_ended() {
        let said = shell("read x; echo \"got $x\"; echo oops >&2; exit 3", 10_000).unwrap();
        assert!(!said.success);
        assert_eq!((said.out.as_slice(), said.error.as_slice()), (&b"got a line\n"[..], &b"oops\n"[..]));
        let started = Instant::now();
        assert_eq!(shell("exec sleep 60", 100).unwrap_err(), Trouble::Silent(0));
        assert!(started.elapsed() < Duration::from_secs(30));
        let missing = run(&mut Command::new("/nonexistent/program"), b"", Duration::from_secs(1)).unwrap_err();
        assert!(matches!(missing, Trouble::Program { .. }), "{missing}");
    }

    #[test]
    fn its_input_ends_only_when_it_has() {
        // `cat` would end at once if its input ended.
        assert_eq!(shell("exec cat >/dev/null", 200).unwrap_err(), Trouble::Silent(0));
    }
}
