//! A network connection between kbfix and the server that the tests can break.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A proxy that passes on all data until the connection breaks.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    server: u16,
    /// The number of bytes that a connection may send to the server before it breaks.
    limit: AtomicUsize,
    /// The delay of each packet to the server, in milliseconds.
    delay: AtomicU64,
    /// Whether new connections are refused.
    dead: AtomicBool,
    /// Whether all connections fail after the first break. Otherwise later connections work.
    for_good: bool,
    broke: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy for the server at this port. One connection breaks, and with `for_good` all later connections
    /// fail.
    pub(crate) fn start(server: u16, for_good: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            server,
            limit: AtomicUsize::new(usize::MAX),
            delay: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            for_good,
            broke: AtomicUsize::new(0),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || state.connect(client));
            }
        });
        Self { port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn breaks_after(&self, bytes: usize) {
        self.state.limit.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn delays(&self, milliseconds: u64) {
        self.state.delay.store(milliseconds, Ordering::SeqCst);
    }

    pub(crate) fn mends(&self) {
        self.breaks_after(usize::MAX);
        self.delays(0);
        self.state.dead.store(false, Ordering::SeqCst);
    }

    /// Returns how many connections were broken.
    pub(crate) fn broke(&self) -> usize {
        self.state.broke.load(Ordering::SeqCst)
    }
}

impl State {
    fn connect(&self, client: TcpStream) {
        if self.dead.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else { return };
        let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || {
            let _ = pass(from_server, to_client, |_| true);
        });
        let mut sent = 0;
        let whole = pass(client, server, |bytes| {
            thread::sleep(Duration::from_millis(self.delay.load(Ordering::SeqCst)));
            sent += bytes;
            sent <= self.limit.load(Ordering::SeqCst)
        });
        if whole.is_none() {
            self.dead.fetch_or(self.for_good, Ordering::SeqCst);
            self.limit.store(usize::MAX, Ordering::SeqCst);
            self.broke.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Passes on data until the end, or until `go_on` returns false. Returns `None` in that case.
fn pass(mut from: TcpStream, mut to: TcpStream, mut go_on: impl FnMut(usize) -> bool) -> Option<()> {
    let mut buffer = [0; 1 << 14];
    let mut whole = Some(());
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) if !go_on(read) => {
                whole = None;
                break;
            }
            Ok(read) if to.write_all(&buffer[..read]).is_ok() => {}
            Ok(_) => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    whole
}
