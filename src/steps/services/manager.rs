//! Windows' service manager.
#![allow(unsafe_code)]

use std::{
    io,
    ptr::null,
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::{ERROR_MORE_DATA, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_NOT_ACTIVE},
    System::Services::{
        CloseServiceHandle, ControlService, ENUM_SERVICE_STATUSW, EnumDependentServicesW, OpenSCManagerW, OpenServiceW,
        QueryServiceStatus, SC_HANDLE, SC_MANAGER_CONNECT, SERVICE_ACTIVE, SERVICE_CONTROL_STOP,
        SERVICE_ENUMERATE_DEPENDENTS, SERVICE_QUERY_STATUS, SERVICE_RUNNING, SERVICE_START, SERVICE_START_PENDING,
        SERVICE_STATUS, SERVICE_STATUS_CURRENT_STATE, SERVICE_STOP, SERVICE_STOPPED, StartServiceW,
    },
};

use super::Manager;

/// How long a service may take to stop or to start.
const LIMIT: Duration = Duration::from_secs(120);

/// A handle of the service manager, closed when dropped.
struct Handle(SC_HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// The service manager of this machine.
pub(super) struct ServiceManager(Handle);

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn last_error() -> String {
    io::Error::last_os_error().to_string()
}

fn is(code: u32) -> bool {
    io::Error::last_os_error().raw_os_error() == i32::try_from(code).ok()
}

impl ServiceManager {
    pub(super) fn open() -> Result<Self, String> {
        // SAFETY: null names this machine and its services.
        let handle = unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_CONNECT) };
        if handle.is_null() { Err(last_error()) } else { Ok(Self(Handle(handle))) }
    }

    fn service(&self, name: &str, access: u32) -> Result<Handle, String> {
        let name = wide(name);
        // SAFETY: the manager is open, and the name ends with a NUL.
        let handle = unsafe { OpenServiceW(self.0.0, name.as_ptr(), access) };
        if handle.is_null() { Err(last_error()) } else { Ok(Handle(handle)) }
    }
}

fn state(service: &Handle) -> Result<SERVICE_STATUS_CURRENT_STATE, String> {
    let mut status = SERVICE_STATUS::default();
    // SAFETY: the service is open with the right to ask, and the status goes to a live variable.
    let asked = unsafe { QueryServiceStatus(service.0, &mut status) };
    if asked == 0 { Err(last_error()) } else { Ok(status.dwCurrentState) }
}

/// Waits until the service is in the state. One that stops while it is to start has failed.
fn wait_for(service: &Handle, wanted: SERVICE_STATUS_CURRENT_STATE) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let found = state(service)?;
        if found == wanted {
            return Ok(());
        }
        if wanted == SERVICE_RUNNING && found == SERVICE_STOPPED {
            return Err("it stopped again".to_owned());
        }
        if started.elapsed() > LIMIT {
            return Err(format!("it took longer than {} s", LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Manager for ServiceManager {
    fn is_running(&mut self, name: &str) -> Result<bool, String> {
        let state = state(&self.service(name, SERVICE_QUERY_STATUS)?)?;
        Ok(state == SERVICE_RUNNING || state == SERVICE_START_PENDING)
    }

    fn running_dependents(&mut self, name: &str) -> Result<Vec<String>, String> {
        let service = self.service(name, SERVICE_ENUMERATE_DEPENDENTS)?;
        // Of the type that the call fills, so that it is aligned.
        let mut buffer: Vec<ENUM_SERVICE_STATUSW> = Vec::new();
        let (mut needed, mut count) = (0, 0);
        for _ in 0..4 {
            let bytes = u32::try_from(buffer.len() * size_of::<ENUM_SERVICE_STATUSW>()).unwrap_or(0);
            let at = if buffer.is_empty() { std::ptr::null_mut() } else { buffer.as_mut_ptr() };
            // SAFETY: the service is open with the right to ask, and the buffer has as many bytes as is said.
            let done = unsafe { EnumDependentServicesW(service.0, SERVICE_ACTIVE, at, bytes, &mut needed, &mut count) };
            if done != 0 {
                let found = buffer.iter().take(count as usize);
                // SAFETY: the system has filled `count` entries, whose names stand behind them in the same buffer.
                return Ok(found.map(|entry| unsafe { text(entry.lpServiceName) }).collect());
            }
            if !is(ERROR_MORE_DATA) {
                return Err(last_error());
            }
            let entries = needed as usize / size_of::<ENUM_SERVICE_STATUSW>() + 1;
            buffer = vec![ENUM_SERVICE_STATUSW::default(); entries];
        }
        Err("the services that depend on it cannot be listed".to_owned())
    }

    fn stop(&mut self, name: &str) -> Result<(), String> {
        let service = self.service(name, SERVICE_STOP | SERVICE_QUERY_STATUS)?;
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the service is open with the right to stop it, and the status goes to a live variable.
        let asked = unsafe { ControlService(service.0, SERVICE_CONTROL_STOP, &mut status) };
        if asked == 0 && !is(ERROR_SERVICE_NOT_ACTIVE) {
            return Err(last_error());
        }
        wait_for(&service, SERVICE_STOPPED)
    }

    fn start(&mut self, name: &str) -> Result<(), String> {
        let service = self.service(name, SERVICE_START | SERVICE_QUERY_STATUS)?;
        // SAFETY: the service is open with the right to start it; it gets no arguments.
        let asked = unsafe { StartServiceW(service.0, 0, null()) };
        if asked == 0 && !is(ERROR_SERVICE_ALREADY_RUNNING) {
            return Err(last_error());
        }
        wait_for(&service, SERVICE_RUNNING)
    }
}

/// # Safety
/// `at` points to a text that ends with a NUL.
unsafe fn text(at: *const u16) -> String {
    let mut units = Vec::new();
    let mut at = at;
    loop {
        // SAFETY: the NUL was not met yet.
        let unit = unsafe { *at };
        if unit == 0 {
            return String::from_utf16_lossy(&units);
        }
        units.push(unit);
        // SAFETY: the NUL stands here or further on.
        at = unsafe { at.add(1) };
    }
}
