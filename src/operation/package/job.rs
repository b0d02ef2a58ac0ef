//! Runs a package and everything that it starts in a job object.
//!
//! The process is assigned to the job before it runs its first instruction. So every program that the process starts is
//! in the job too.
//!
//! Sources: Microsoft, "Job Objects", "TerminateJobObject function", "JOBOBJECT_BASIC_LIMIT_INFORMATION structure",
//! "Nested Jobs" (since Windows 8; before, a process could be in only one job), "Taking a Snapshot and Viewing
//! Processes".
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    io,
    os::windows::{
        io::{AsRawHandle, FromRawHandle, OwnedHandle},
        process::CommandExt,
    },
    process::{Child, Command, ExitStatus},
    ptr::{null, null_mut},
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
        },
        JobObjects::{
            AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
            JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
            JobObjectBasicAccountingInformation, JobObjectExtendedLimitInformation, QueryInformationJobObject,
            SetInformationJobObject, TerminateJobObject,
        },
        Threading::{CREATE_SUSPENDED, OpenThread, ResumeThread, THREAD_SUSPEND_RESUME},
    },
};

/// A running package.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// The job object; `None` if the system refused to create one, or to put the package into it. Then kbfix does not
    /// know which programs the package starts.
    job: Option<Job>,
}

impl Process {
    /// Starts the package. If kbfix ends before [`Process::leave`], for whatever reason, Windows also ends the package
    /// and all programs that it started. (It does not, if the system refused to create a job object.)
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system; no process runs then.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.creation_flags(CREATE_SUSPENDED).spawn()?;
        let job = Job::of(&child).ok();
        match resume(child.id()) {
            Ok(()) => Ok(Self { child, job }),
            Err(error) => {
                let _ = child.kill().and_then(|()| child.wait());
                Err(error)
            }
        }
    }

    /// Returns the exit status, or `None` while the package runs.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Ends the package and all programs that it started; without a job object, only the package. Returns a text for
    /// people that says what could be ended.
    pub(super) fn end(mut self) -> &'static str {
        let all = self.job.as_ref().is_some_and(|job| job.end().is_ok());
        match if all { Ok(()) } else { self.child.kill() }.and_then(|()| self.child.wait()) {
            Err(_) => "could not be ended",
            Ok(_) if all => "was ended together with all programs that it had started",
            Ok(_) => "was ended; programs that it had started may still run",
        }
    }

    /// Lets the programs that the package started continue. Returns a text for people that says that such a program
    /// still runs; an empty string if none does, or if this is not known.
    pub(super) fn leave(self) -> &'static str {
        match self.job.map(|job| job.set_limits(0).and_then(|()| job.running())) {
            Some(Ok(1..)) => "; a program that it started still runs",
            _ => "",
        }
    }
}

/// A job object. When its handle is closed, Windows ends all processes in the job, unless [`Process::leave`] was
/// called.
#[derive(Debug)]
struct Job(OwnedHandle);

impl Job {
    /// Creates a job object that contains the process `child`.
    fn of(child: &Child) -> io::Result<Self> {
        // SAFETY: the call requests no name and the default security.
        let handle = unsafe { CreateJobObjectW(null(), null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just opened, and nobody else closes it.
        let job = Self(unsafe { OwnedHandle::from_raw_handle(handle) });
        job.set_limits(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
        // SAFETY: both handles are open.
        check(unsafe { AssignProcessToJobObject(job.0.as_raw_handle(), child.as_raw_handle()) })?;
        Ok(job)
    }

    fn set_limits(&self, flags: u32) -> io::Result<()> {
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = flags;
        let size = size_of_val(&limits) as u32;
        let at: *const c_void = (&raw const limits).cast();
        // SAFETY: the handle is open, and `at` points to `size` bytes.
        check(unsafe { SetInformationJobObject(self.0.as_raw_handle(), JobObjectExtendedLimitInformation, at, size) })
    }

    /// Returns the number of processes in the job.
    fn running(&self) -> io::Result<u32> {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        let size = size_of_val(&counts) as u32;
        let at: *mut c_void = (&raw mut counts).cast();
        // SAFETY: the handle is open, and `at` points to room for `size` bytes. The returned length is not requested.
        check(unsafe {
            QueryInformationJobObject(self.0.as_raw_handle(), JobObjectBasicAccountingInformation, at, size, null_mut())
        })?;
        Ok(counts.ActiveProcesses)
    }

    /// Ends all processes in the job, and waits at most 10 seconds until they have ended. Returns an error if one still
    /// runs.
    fn end(&self) -> io::Result<()> {
        // SAFETY: the handle is open.
        check(unsafe { TerminateJobObject(self.0.as_raw_handle(), 1) })?;
        let asked = Instant::now();
        while self.running()? > 0 {
            if asked.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Resumes a process that was started suspended. Such a process has one thread.
fn resume(process: u32) -> io::Result<()> {
    // SAFETY: the call has no further conditions.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just opened, and nobody else closes it.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot) };
    let mut entry = THREADENTRY32 { dwSize: size_of::<THREADENTRY32>() as u32, ..Default::default() };
    // SAFETY: the snapshot is open, and the entry says its size.
    let mut found = unsafe { Thread32First(snapshot.as_raw_handle(), &mut entry) };
    while found != 0 {
        if entry.th32OwnerProcessID == process {
            // SAFETY: the call has no further conditions.
            let thread = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, entry.th32ThreadID) };
            if thread.is_null() {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the handle was just opened, and nobody else closes it.
            let thread = unsafe { OwnedHandle::from_raw_handle(thread) };
            // SAFETY: the handle is open, with the right to do this.
            return if unsafe { ResumeThread(thread.as_raw_handle()) } == u32::MAX {
                Err(io::Error::last_os_error())
            } else {
                Ok(())
            };
        }
        // SAFETY: as above.
        found = unsafe { Thread32Next(snapshot.as_raw_handle(), &mut entry) };
    }
    Err(io::Error::other("its first thread was not found"))
}

fn check(succeeded: i32) -> io::Result<()> {
    if succeeded == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
