//! Another program on the gateway's port: the harness itself, answering 404 to everything.

use crate::wait::wait_for;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// See the module. Dropping it frees the port.
#[derive(Debug)]
pub struct Stranger {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stranger {
    /// Takes the port as soon as it is free.
    ///
    /// # Panics
    /// When it does not become free within 20 s.
    #[must_use]
    pub fn on(port: u16) -> Self {
        let listener = wait_for("the port can be taken", Duration::from_secs(20), || {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
        });
        listener
            .set_nonblocking(true)
            .expect("a socket can be made non-blocking");
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !asked.load(Ordering::SeqCst) {
                if let Ok((mut client, _)) = listener.accept() {
                    // A client that went away is not our trouble.
                    _ = client.set_nonblocking(false);
                    _ = client.read(&mut [0; 1024]);
                    _ = client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}
