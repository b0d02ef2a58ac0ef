//! Restarts services through the service manager.
//!
//! First the services that depend on a service are stopped, then the service itself. Then those that were not stopped
//! before are started again, in reverse order.

#[cfg(windows)]
mod manager;
#[cfg_attr(not(windows), allow(dead_code, reason = "only Windows has a service manager"))]
mod patience;

use super::step::{Step, StepKind, StepResult};

/// The state of a service that has finished changing its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The service is not running.
    Stopped,
    /// The service is running.
    Running,
    /// The service is paused. It stays loaded, with its old settings.
    Paused,
}

/// The functions of a service manager that are needed to restart services. Names are service names, not display names.
pub trait Manager {
    /// Returns whether a service with this name exists.
    ///
    /// # Errors
    ///
    /// Returns a text for people that says why this cannot be found out.
    fn exists(&mut self, name: &str) -> std::result::Result<bool, String>;

    /// Waits until the service is stopped, running or paused, and not changing its state. Returns this state.
    ///
    /// # Errors
    ///
    /// Returns a text for people that says why this cannot be found out.
    fn settled(&mut self, name: &str) -> std::result::Result<State, String>;

    /// Returns the dependent services that are not stopped, in the order in which they must be stopped.
    ///
    /// # Errors
    ///
    /// Returns a text for people that says why this cannot be found out.
    fn active_dependents(&mut self, name: &str) -> std::result::Result<Vec<String>, String>;

    /// Stops the service, and waits until it is stopped.
    ///
    /// # Errors
    ///
    /// Returns a text for people that says why this failed.
    fn stop(&mut self, name: &str) -> std::result::Result<(), String>;

    /// Starts the service, and waits until it is running or paused.
    ///
    /// # Errors
    ///
    /// Returns a text for people that says why this failed.
    fn start(&mut self, name: &str) -> std::result::Result<(), String>;

    /// Pauses the service, and waits until it is paused.
    ///
    /// # Errors
    ///
    /// Returns a text for people that says why this failed.
    fn pause(&mut self, name: &str) -> std::result::Result<(), String>;
}

/// Restarts services of this computer, and returns the steps. Calls `tell` after each step.
///
/// # Errors
///
/// Fails if the service manager cannot be used at all.
#[cfg(windows)]
pub fn restart_local(services: &[String], tell: impl FnMut(&Step)) -> std::result::Result<Vec<Step>, String> {
    Ok(restart(services, &mut manager::ServiceManager::open()?, tell))
}

/// Returns an error, because only Windows has services.
///
/// # Errors
///
/// Always returns an error.
#[cfg(not(windows))]
pub fn restart_local(_services: &[String], _tell: impl FnMut(&Step)) -> std::result::Result<Vec<Step>, String> {
    Err("only Windows has a service manager".to_owned())
}

/// Returns the names in `services` of services that do not exist on this computer.
///
/// # Errors
///
/// Fails if the service manager cannot be used.
#[cfg(windows)]
pub fn missing_local(services: &[String]) -> std::result::Result<Vec<String>, String> {
    if services.is_empty() { Ok(Vec::new()) } else { missing(services, &mut manager::ServiceManager::open()?) }
}

/// Returns an error, because only Windows has services.
///
/// # Errors
///
/// Always returns an error.
#[cfg(not(windows))]
pub fn missing_local(_services: &[String]) -> std::result::Result<Vec<String>, String> {
    Err("only Windows has a service manager".to_owned())
}

/// Returns the names in `services` of services that do not exist.
///
/// # Errors
///
/// Fails if it cannot be determined whether one of the services exists.
pub fn missing(services: &[String], manager: &mut dyn Manager) -> std::result::Result<Vec<String>, String> {
    let mut missing = Vec::new();
    for name in services {
        if !manager.exists(name).map_err(|why| format!("{name}: {why}"))? {
            missing.push(name.clone());
        }
    }
    Ok(missing)
}

/// Restarts these services in this order, together with the services that depend on them, and returns the steps. Each
/// service is restarted only once: if one of them depends on another one, or the same service depends on both, they are
/// stopped and started together. Calls `tell` after each step.
///
/// A service that is not running is not started, because someone may have stopped it on purpose. A service that was
/// paused is paused again. kbfix tries to start every service again that it has stopped or tried to stop, even if
/// another step fails.
pub fn restart(services: &[String], manager: &mut dyn Manager, mut tell: impl FnMut(&Step)) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |action, name: &str, result, detail: String| {
        let step = Step { action, name: name.to_owned(), spec: None, result, detail };
        tell(&step);
        steps.push(step);
    };
    let mut groups: Vec<Vec<(String, State)>> = Vec::new();
    for service in services {
        match in_order(service, manager) {
            Err(why) => add(StepKind::StopService, service, StepResult::Failed, why),
            Ok(order) if order.is_empty() => add(
                StepKind::StopService,
                service,
                StepResult::Skipped,
                "it is not running, and kbfix does not start it".to_owned(),
            ),
            Ok(order) => join(&mut groups, order),
        }
    }
    for order in &groups {
        let mut stopped = Vec::new();
        for (name, state) in order {
            let result = manager.stop(name);
            // This includes a service that did not stop in time, because it may stop a moment later.
            stopped.push((name, *state));
            match result {
                Ok(()) => add(StepKind::StopService, name, StepResult::Done, String::new()),
                Err(why) => {
                    add(StepKind::StopService, name, StepResult::Failed, why);
                    break;
                }
            }
        }
        for (name, state) in stopped.into_iter().rev() {
            let started = manager.start(name);
            let is_started = started.is_ok();
            let mut told = |action, result: std::result::Result<(), String>| match result {
                Ok(()) => add(action, name, StepResult::Done, String::new()),
                Err(why) => add(action, name, StepResult::Failed, why),
            };
            told(StepKind::StartService, started);
            if is_started && state == State::Paused {
                told(StepKind::PauseService, manager.pause(name));
            }
        }
    }
    steps
}

/// Adds the services of `order` to `groups`, each service once. All groups that contain one of them become one group.
///
/// Each group is sorted like `order`: every service comes after those that depend on it. This is still so after
/// joining, because `order` contains all services that depend on one of its services.
fn join(groups: &mut Vec<Vec<(String, State)>>, order: Vec<(String, State)>) {
    let contains =
        |all: &[(String, State)], name: &str| all.iter().any(|(other, _)| other.to_lowercase() == name.to_lowercase());
    let (joined, apart): (Vec<_>, Vec<_>) =
        std::mem::take(groups).into_iter().partition(|group| group.iter().any(|(name, _)| contains(&order, name)));
    let mut joined: Vec<(String, State)> = joined.into_iter().flatten().collect();
    for (name, state) in order {
        if !contains(&joined, &name) {
            joined.push((name, state));
        }
    }
    *groups = apart;
    groups.push(joined);
}

/// Returns the services to stop, in order, with their states: first those that depend on this service, then the service
/// itself. Returns an empty list if the service is not running.
fn in_order(service: &str, manager: &mut dyn Manager) -> std::result::Result<Vec<(String, State)>, String> {
    let state = manager.settled(service)?;
    if state == State::Stopped {
        return Ok(Vec::new());
    }
    let mut order = Vec::new();
    for name in manager.active_dependents(service)? {
        match manager.settled(&name).map_err(|why| format!("{name}, which depends on it: {why}"))? {
            // It was already changing to this state.
            State::Stopped => {}
            state => order.push((name, state)),
        }
    }
    order.push((service.to_owned(), state));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// IISADMIN, on which W3SVC and SMTPSVC depend. `fails` contains the steps that fail.
    struct Machine {
        active: BTreeMap<&'static str, State>,
        fails: &'static str,
    }

    type Done = std::result::Result<(), String>;

    const ALL: [&str; 3] = ["SMTPSVC", "W3SVC", "IISADMIN"];

    fn known(name: &str) -> std::result::Result<&'static str, String> {
        ALL.into_iter().find(|n| n.eq_ignore_ascii_case(name)).ok_or_else(|| "no such service".to_owned())
    }

    impl Machine {
        fn does(&mut self, what: &str, name: &str, state: State) -> Done {
            if self.fails == format!("{what} {name}") {
                return Err("broken".to_owned());
            }
            match state {
                State::Stopped => drop(self.active.remove(known(name)?)),
                state => drop(self.active.insert(known(name)?, state)),
            }
            Ok(())
        }
    }

    impl Manager for Machine {
        fn exists(&mut self, name: &str) -> std::result::Result<bool, String> {
            Ok(known(name).is_ok())
        }
        fn settled(&mut self, name: &str) -> std::result::Result<State, String> {
            Ok(self.active.get(known(name)?).copied().unwrap_or(State::Stopped))
        }
        fn active_dependents(&mut self, name: &str) -> std::result::Result<Vec<String>, String> {
            let all = if name.eq_ignore_ascii_case("IISADMIN") { &ALL[..2] } else { &[] };
            Ok(all.iter().filter(|n| self.active.contains_key(*n)).map(ToString::to_string).collect())
        }
        fn stop(&mut self, name: &str) -> Done {
            self.does("stop", name, State::Stopped)
        }
        fn start(&mut self, name: &str) -> Done {
            self.does("start", name, State::Running)
        }
        fn pause(&mut self, name: &str) -> Done {
            self.does("pause", name, State::Paused)
        }
    }

    fn machine(running: &[&'static str], fails: &'static str) -> Machine {
        Machine { active: running.iter().map(|name| (*name, State::Running)).collect(), fails }
    }

    fn run_on(machine: &mut Machine, services: &[&str]) -> Vec<String> {
        let services: Vec<String> = services.iter().map(ToString::to_string).collect();
        restart(&services, machine, |_| {}).iter().map(ToString::to_string).collect()
    }

    fn run(services: &[&str], running: &[&'static str], fails: &'static str) -> (Vec<String>, BTreeSet<&'static str>) {
        let mut machine = machine(running, fails);
        (run_on(&mut machine, services), machine.active.into_keys().collect())
    }

    #[test]
    fn what_was_paused_is_restarted_and_paused_again() {
        let mut machine = machine(&["IISADMIN", "SMTPSVC"], "");
        machine.active.insert("W3SVC", State::Paused);
        let steps = run_on(&mut machine, &["IISADMIN"]);
        assert!(steps.contains(&"stop service W3SVC: done".to_owned()), "{steps:?}");
        assert_eq!(steps[4..6], ["start service W3SVC: done", "pause service W3SVC: done"]);
        let of = |name: &str| machine.active[name];
        assert_eq!((of("W3SVC"), of("SMTPSVC"), of("IISADMIN")), (State::Paused, State::Running, State::Running));
        let steps = run_on(&mut machine, &["W3SVC"]);
        assert_eq!(steps, ["stop service W3SVC: done", "start service W3SVC: done", "pause service W3SVC: done"]);
        machine.fails = "pause W3SVC";
        assert_eq!(run_on(&mut machine, &["W3SVC"])[2], "pause service W3SVC: failed, broken");
        assert_eq!(machine.active["W3SVC"], State::Running);
    }

    #[test]
    fn a_service_that_is_not_there_is_found_before_anything_is_done() {
        let names = ["IisAdmin".to_owned(), "none".to_owned()];
        assert_eq!(missing(&names, &mut machine(&[], "")).unwrap(), ["none"]);
    }

    #[test]
    fn dependents_go_first_and_come_last() {
        let (steps, running) = run(&["IisAdmin", "w3svc"], &["IISADMIN", "W3SVC"], "");
        let wanted = ["stop service W3SVC: done", "stop service IisAdmin: done", "start service IisAdmin: done"];
        assert_eq!(steps[..3], wanted);
        assert_eq!(steps[3..], ["start service W3SVC: done"]);
        assert_eq!(running.len(), 2);
    }

    #[test]
    fn each_service_is_restarted_once_in_whatever_order_they_are_named() {
        let (steps, _) = run(&["w3svc", "none", "IISADMIN", "W3SVC", "iisadmin"], &ALL, "");
        let wanted = [
            "stop service none: failed, no such service",
            "stop service w3svc: done",
            "stop service SMTPSVC: done",
            "stop service IISADMIN: done",
            "start service IISADMIN: done",
            "start service SMTPSVC: done",
            "start service w3svc: done",
        ];
        assert_eq!(steps, wanted);
        let of = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), State::Running)).collect::<Vec<_>>();
        let mut groups = Vec::new();
        // `Both` depends on A and on B.
        [&["Both", "A"][..], &["C"], &["Both", "B"]].iter().for_each(|order| join(&mut groups, of(order)));
        assert_eq!(groups, [of(&["C"]), of(&["Both", "A", "B"])]);
    }

    #[test]
    fn what_was_stopped_is_started_again_whatever_fails() {
        let (steps, running) = run(&["IISADMIN"], &ALL, "stop W3SVC");
        assert_eq!(steps[1], "stop service W3SVC: failed, broken");
        assert!(!steps.iter().any(|s| s.contains("IISADMIN")), "{steps:?}");
        assert_eq!(running.len(), 3);
        let (steps, running) = run(&["IISADMIN"], &ALL, "start IISADMIN");
        assert!(steps.contains(&"start service IISADMIN: failed, broken".to_owned()), "{steps:?}");
        assert_eq!(running, ["SMTPSVC", "W3SVC"].into());
    }

    #[test]
    fn a_service_that_does_not_run_is_left_so() {
        let (steps, _) = run(&["IISADMIN", "none"], &["W3SVC"], "");
        assert_eq!(
            steps,
            [
                "stop service IISADMIN: skipped, it is not running, and kbfix does not start it",
                "stop service none: failed, no such service"
            ]
        );
    }
}
