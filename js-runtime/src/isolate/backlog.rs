//! Counts the bytes of WebSocket messages that wait to be sent.

use crate::limits::isolate::{SOCKET_SHARE_BYTES, SOCKET_WAITING_BYTES_MAX, SOCKETS_COMMON_BYTES_MAX};
use std::cell::Cell;
use std::rc::Rc;

/// Bytes of one socket's messages that the wire has not taken: those that wait, and those that are being sent.
#[derive(Debug)]
pub struct Backlog {
    own: Cell<usize>,
    /// Those of all sockets of the isolate.
    all: Rc<Cell<usize>>,
}

impl Backlog {
    /// An empty one, which counts in `all`.
    pub fn new(all: Rc<Cell<usize>>) -> Self {
        Self { own: Cell::new(0), all }
    }

    /// Bytes of this socket.
    pub fn bytes(&self) -> usize {
        self.own.get()
    }

    /// Whether a message of so many bytes may wait, too.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.own.get() <= SOCKET_WAITING_BYTES_MAX
            && (self.own.get() + bytes <= SOCKET_SHARE_BYTES
                || self.all.get() + bytes <= SOCKETS_COMMON_BYTES_MAX)
    }

    /// Bytes have come.
    pub fn add(&self, bytes: usize) {
        self.own.set(self.own.get() + bytes);
        self.all.set(self.all.get() + bytes);
    }

    /// Bytes are taken, or dropped.
    pub fn remove(&self, bytes: usize) {
        self.own.set(self.own.get() - bytes);
        self.all.set(self.all.get() - bytes);
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.remove(self.own.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::isolate::SOCKETS_MAX;

    #[test]
    fn each_socket_has_its_share_and_all_of_them_a_bound() {
        let all = Rc::new(Cell::new(0));
        let sockets: Vec<Backlog> = (0..SOCKETS_MAX).map(|_| Backlog::new(Rc::clone(&all))).collect();
        let fill = |socket: &Backlog, bytes| {
            while socket.has_room(bytes) {
                socket.add(bytes);
            }
        };
        fill(&sockets[0], 1 << 20);
        assert_eq!(sockets[0].bytes(), SOCKET_WAITING_BYTES_MAX + (1 << 20));
        for socket in &sockets {
            fill(socket, 1 << 20);
            fill(socket, 1 << 10);
            assert!(socket.bytes() >= SOCKET_SHARE_BYTES);
        }
        assert!(all.get() <= 2 * SOCKETS_COMMON_BYTES_MAX, "{}", all.get());
        drop(sockets);
        assert_eq!(all.get(), 0);
    }
}
