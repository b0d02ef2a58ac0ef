//! Restarts services through the service manager: a service with those that depend on it is stopped, then all that ran are
//! started again in reverse.

#[cfg(windows)]
mod manager;

use std::collections::BTreeSet;

use super::{Action, Result, Step};

/// What a restart needs of the service manager. Names are service names.
pub trait Manager {
    /// Whether the service runs, or is about to.
    ///
    /// # Errors
    /// The reason, for people.
    fn is_running(&mut self, name: &str) -> std::result::Result<bool, String>;

    /// The running services that depend on it, in the order in which they are to be stopped.
    ///
    /// # Errors
    /// The reason, for people.
    fn running_dependents(&mut self, name: &str) -> std::result::Result<Vec<String>, String>;

    /// Stops it, and waits until it is stopped.
    ///
    /// # Errors
    /// The reason, for people.
    fn stop(&mut self, name: &str) -> std::result::Result<(), String>;

    /// Starts it, and waits until it runs.
    ///
    /// # Errors
    /// The reason, for people.
    fn start(&mut self, name: &str) -> std::result::Result<(), String>;
}

/// Restarts the services of this machine. `tell` is called with each step once it is done.
///
/// # Errors
/// Where the service manager cannot be asked at all.
#[cfg(windows)]
pub fn restart_local(services: &[String], tell: impl FnMut(&Step)) -> std::result::Result<Vec<Step>, String> {
    Ok(restart(services, &mut manager::ServiceManager::open()?, tell))
}

/// There are no services here.
///
/// # Errors
/// Always.
#[cfg(not(windows))]
pub fn restart_local(_services: &[String], _tell: impl FnMut(&Step)) -> std::result::Result<Vec<Step>, String> {
    Err("there is a service manager on Windows only".to_owned())
}

/// Restarts services, each once, in this order. One that does not run is left as it is: whoever stopped it meant it. Whatever
/// fails, every service that was stopped is started again.
pub fn restart(services: &[String], manager: &mut dyn Manager, mut tell: impl FnMut(&Step)) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |action, name: &str, result, detail: String| {
        let step = Step { action, name: name.to_owned(), spec: None, result, detail };
        tell(&step);
        steps.push(step);
    };
    // A service that went down and up with another one needs no restart of its own.
    let mut restarted: BTreeSet<String> = BTreeSet::new();
    for service in services {
        if restarted.contains(&service.to_lowercase()) {
            continue;
        }
        match manager.is_running(service) {
            Ok(true) => {}
            Ok(false) => {
                add(Action::StopService, service, Result::Skipped, "it does not run, and is left so".to_owned());
                continue;
            }
            Err(why) => {
                add(Action::StopService, service, Result::Failed, why);
                continue;
            }
        }
        let mut order = match manager.running_dependents(service) {
            Ok(dependents) => dependents,
            Err(why) => {
                add(Action::StopService, service, Result::Failed, why);
                continue;
            }
        };
        order.push(service.clone());
        let mut stopped = Vec::new();
        for name in &order {
            let result = manager.stop(name);
            // Also one that did not stop in time: it may be down a moment later.
            stopped.push(name);
            match result {
                Ok(()) => add(Action::StopService, name, Result::Done, String::new()),
                Err(why) => {
                    add(Action::StopService, name, Result::Failed, why);
                    break;
                }
            }
        }
        for name in stopped.into_iter().rev() {
            match manager.start(name) {
                Ok(()) => add(Action::StartService, name, Result::Done, String::new()),
                Err(why) => add(Action::StartService, name, Result::Failed, why),
            }
            restarted.insert(name.to_lowercase());
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IISADMIN with W3SVC and SMTPSVC on it; `fails` names what goes wrong.
    struct Machine {
        running: BTreeSet<&'static str>,
        fails: &'static str,
    }

    const ALL: [&str; 3] = ["SMTPSVC", "W3SVC", "IISADMIN"];

    impl Manager for Machine {
        fn is_running(&mut self, name: &str) -> std::result::Result<bool, String> {
            let known = ALL.iter().find(|n| n.eq_ignore_ascii_case(name)).ok_or("no such service")?;
            Ok(self.running.contains(known))
        }
        fn running_dependents(&mut self, name: &str) -> std::result::Result<Vec<String>, String> {
            let all = if name.eq_ignore_ascii_case("IISADMIN") { &ALL[..2] } else { &[] };
            Ok(all.iter().filter(|n| self.running.contains(*n)).map(ToString::to_string).collect())
        }
        fn stop(&mut self, name: &str) -> std::result::Result<(), String> {
            if self.fails == format!("stop {name}") {
                return Err("busy".to_owned());
            }
            self.running.retain(|n| !n.eq_ignore_ascii_case(name));
            Ok(())
        }
        fn start(&mut self, name: &str) -> std::result::Result<(), String> {
            if self.fails == format!("start {name}") {
                return Err("broken".to_owned());
            }
            self.running.extend(ALL.iter().find(|n| n.eq_ignore_ascii_case(name)));
            Ok(())
        }
    }

    fn run(services: &[&str], running: &[&'static str], fails: &'static str) -> (Vec<String>, BTreeSet<&'static str>) {
        let mut machine = Machine { running: running.iter().copied().collect(), fails };
        let services: Vec<String> = services.iter().map(ToString::to_string).collect();
        let steps = restart(&services, &mut machine, |_| {});
        (steps.iter().map(ToString::to_string).collect(), machine.running)
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
    fn what_was_stopped_is_started_again_whatever_fails() {
        let (steps, running) = run(&["IISADMIN"], &ALL, "stop W3SVC");
        assert_eq!(steps[1], "stop service W3SVC: failed, busy");
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
                "stop service IISADMIN: skipped, it does not run, and is left so",
                "stop service none: failed, no such service"
            ]
        );
    }
}
