//! Controls services through the Windows service manager.
#![allow(unsafe_code)]

use std::{
    io,
    ptr::null,
    thread,
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_INVALID_NAME, ERROR_MORE_DATA, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL,
        ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_NOT_ACTIVE,
    },
    System::Services::{
        CloseServiceHandle, ControlService, ENUM_SERVICE_STATUSW, EnumDependentServicesW, OpenSCManagerW, OpenServiceW,
        QueryServiceStatus, SC_HANDLE, SC_MANAGER_CONNECT, SERVICE_ACTIVE, SERVICE_CONTROL_PAUSE, SERVICE_CONTROL_STOP,
        SERVICE_ENUMERATE_DEPENDENTS, SERVICE_PAUSE_CONTINUE, SERVICE_PAUSED, SERVICE_QUERY_STATUS, SERVICE_RUNNING,
        SERVICE_START, SERVICE_STATUS, SERVICE_STATUS_CURRENT_STATE, SERVICE_STOP, SERVICE_STOPPED, StartServiceW,
    },
};

use super::{Manager, State, patience::Patience};

/// The maximum number of times that a request to a service is sent again. This is needed because a service refuses
/// requests while it changes its state.
const TRIES: usize = 5;

/// A handle of the Windows service manager or of a service. It is closed when dropped.
struct Handle(SC_HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// The service manager of this computer.
pub(super) struct ServiceManager(Handle);

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn last_error() -> io::Error {
    io::Error::last_os_error()
}

fn text_of(error: io::Error) -> String {
    error.to_string()
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

impl ServiceManager {
    pub(super) fn open() -> Result<Self, String> {
        // SAFETY: null selects this computer and its active services.
        let handle = unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_CONNECT) };
        if handle.is_null() { Err(text_of(last_error())) } else { Ok(Self(Handle(handle))) }
    }

    fn find(&self, name: &str, access: u32) -> io::Result<Handle> {
        let name = wide(name);
        // SAFETY: the manager is open, and the name ends with a NUL.
        let handle = unsafe { OpenServiceW(self.0.0, name.as_ptr(), access) };
        if handle.is_null() { Err(last_error()) } else { Ok(Handle(handle)) }
    }

    fn service(&self, name: &str, access: u32) -> Result<Handle, String> {
        self.find(name, access).map_err(text_of)
    }
}

fn status(service: &Handle) -> Result<SERVICE_STATUS, String> {
    let mut status = SERVICE_STATUS::default();
    // SAFETY: the service is open with the right to query it, and the status is written to a live variable.
    let asked = unsafe { QueryServiceStatus(service.0, &mut status) };
    if asked == 0 { Err(text_of(last_error())) } else { Ok(status) }
}

/// Waits until the service is in one of the states `wanted`. Returns an error if the service makes no progress for too
/// long.
fn wait_for(service: &Handle, wanted: &[SERVICE_STATUS_CURRENT_STATE]) -> Result<SERVICE_STATUS, String> {
    let started = Instant::now();
    let mut patience = Patience::default();
    loop {
        let found = status(service)?;
        if wanted.contains(&found.dwCurrentState) {
            return Ok(found);
        }
        let hint = Duration::from_millis(found.dwWaitHint.into());
        if let Some(why) = patience.ends(found.dwCurrentState, found.dwCheckPoint, hint, started.elapsed()) {
            return Err(why);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the service is stopped, running or paused, and returns this state.
fn settle(service: &Handle) -> Result<State, String> {
    match wait_for(service, &[SERVICE_STOPPED, SERVICE_RUNNING, SERVICE_PAUSED])?.dwCurrentState {
        SERVICE_STOPPED => Ok(State::Stopped),
        SERVICE_PAUSED => Ok(State::Paused),
        _ => Ok(State::Running),
    }
}

/// Sends a control code that brings the service into the state `wanted`, and waits until the service is in this state.
fn control(service: &Handle, control: u32, wanted: SERVICE_STATUS_CURRENT_STATE) -> Result<(), String> {
    let mut tries = 0;
    loop {
        settle(service)?;
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the service is open with the right for this control, and the status is written to a live variable.
        let asked = unsafe { ControlService(service.0, control, &mut status) };
        let error = last_error();
        match asked {
            0 if wanted == SERVICE_STOPPED && is(&error, ERROR_SERVICE_NOT_ACTIVE) => {}
            // The service began to change its state after the last query.
            0 if is(&error, ERROR_SERVICE_CANNOT_ACCEPT_CTRL) && tries < TRIES => {
                tries += 1;
                thread::sleep(Duration::from_millis(200));
                continue;
            }
            0 => return Err(text_of(error)),
            _ => {}
        }
        return wait_for(service, &[wanted]).map(drop);
    }
}

impl Manager for ServiceManager {
    fn exists(&mut self, name: &str) -> Result<bool, String> {
        match self.find(name, SERVICE_QUERY_STATUS) {
            Ok(_) => Ok(true),
            Err(error) if is(&error, ERROR_SERVICE_DOES_NOT_EXIST) || is(&error, ERROR_INVALID_NAME) => Ok(false),
            Err(error) => Err(text_of(error)),
        }
    }

    fn settled(&mut self, name: &str) -> Result<State, String> {
        settle(&self.service(name, SERVICE_QUERY_STATUS)?)
    }

    fn active_dependents(&mut self, name: &str) -> Result<Vec<String>, String> {
        let service = self.service(name, SERVICE_ENUMERATE_DEPENDENTS)?;
        // The buffer has the type that the call fills, so that it is aligned.
        let mut buffer: Vec<ENUM_SERVICE_STATUSW> = Vec::new();
        let (mut needed, mut count) = (0, 0);
        for _ in 0..4 {
            let bytes = u32::try_from(buffer.len() * size_of::<ENUM_SERVICE_STATUSW>()).unwrap_or(0);
            let at = if buffer.is_empty() { std::ptr::null_mut() } else { buffer.as_mut_ptr() };
            // SAFETY: the service is open with the right to query it, and the buffer has the given number of bytes.
            let done = unsafe { EnumDependentServicesW(service.0, SERVICE_ACTIVE, at, bytes, &mut needed, &mut count) };
            if done != 0 {
                let found = buffer.iter().take(count as usize);
                // SAFETY: the system has filled `count` entries. Their names are stored after them in the same buffer.
                return Ok(found.map(|entry| unsafe { text(entry.lpServiceName) }).collect());
            }
            let error = last_error();
            if !is(&error, ERROR_MORE_DATA) {
                return Err(text_of(error));
            }
            let entries = needed as usize / size_of::<ENUM_SERVICE_STATUSW>() + 1;
            buffer = vec![ENUM_SERVICE_STATUSW::default(); entries];
        }
        Err("the services that depend on it keep changing, and could not be listed".to_owned())
    }

    fn stop(&mut self, name: &str) -> Result<(), String> {
        let service = self.service(name, SERVICE_STOP | SERVICE_QUERY_STATUS)?;
        control(&service, SERVICE_CONTROL_STOP, SERVICE_STOPPED)
    }

    fn start(&mut self, name: &str) -> Result<(), String> {
        let service = self.service(name, SERVICE_START | SERVICE_QUERY_STATUS)?;
        // A service that is about to stop reports that it is already running.
        if settle(&service)? != State::Stopped {
            return Ok(());
        }
        // SAFETY: the service is open with the right to start it. It gets no arguments.
        let asked = unsafe { StartServiceW(service.0, 0, null()) };
        let error = last_error();
        if asked == 0 && !is(&error, ERROR_SERVICE_ALREADY_RUNNING) {
            return Err(text_of(error));
        }
        let found = wait_for(&service, &[SERVICE_RUNNING, SERVICE_PAUSED, SERVICE_STOPPED])?;
        match (found.dwCurrentState, found.dwWin32ExitCode) {
            (SERVICE_STOPPED, 0) => Err("it stopped again".to_owned()),
            (SERVICE_STOPPED, code) => Err(format!("it stopped again, with the error {code}")),
            _ => Ok(()),
        }
    }

    fn pause(&mut self, name: &str) -> Result<(), String> {
        let service = self.service(name, SERVICE_PAUSE_CONTINUE | SERVICE_QUERY_STATUS)?;
        if settle(&service)? == State::Paused {
            return Ok(());
        }
        control(&service, SERVICE_CONTROL_PAUSE, SERVICE_PAUSED)
    }
}

/// Returns the UTF-16 text that begins at `at` and ends before the first NUL.
///
/// # Safety
/// `at` points to a text that ends with a NUL.
unsafe fn text(at: *const u16) -> String {
    let mut units = Vec::new();
    let mut at = at;
    loop {
        // SAFETY: the terminating NUL is not before this position.
        let unit = unsafe { *at };
        if unit == 0 {
            return String::from_utf16_lossy(&units);
        }
        units.push(unit);
        // SAFETY: the terminating NUL is at this position or after it.
        at = unsafe { at.add(1) };
    }
}
