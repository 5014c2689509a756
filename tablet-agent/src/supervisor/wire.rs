//! What supervisor and agent say to each other, over a socket that keeps message borders: nine bytes each, a tag and a number.

/// Length of every message in bytes.
pub const MESSAGE_LEN: usize = 9;

/// The descriptor of the deadline page in the agent. The socket itself is the agent's standard input.
pub const DEADLINE_FD: i32 = 3;

/// From the supervisor to the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// First message to every agent: mysqld's process id, or 0 when none runs.
    Hello(i32),
    /// mysqld was forked and has this process id.
    Started(i32),
    /// mysqld ended with this wait status.
    Exited(i32),
    /// An orderly stop was asked for by this signal. Repeated to an agent that starts while the stop is under way.
    Stop(i32),
}

/// From the agent to the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Fork mysqld. Ignored when one runs.
    Start,
    /// Send SIGTERM to mysqld. Only after the agent made sure that no commit waits.
    Terminate,
    /// Send SIGKILL to mysqld.
    Kill,
    /// The orderly stop is done: exit, killing what is left.
    Finished,
    /// The deadline page changed from 0: look at it now.
    Deadline,
}

impl Event {
    /// The message on the wire.
    pub fn encode(self) -> [u8; MESSAGE_LEN] {
        match self {
            Event::Hello(pid) => message(b'H', pid),
            Event::Started(pid) => message(b'S', pid),
            Event::Exited(status) => message(b'X', status),
            Event::Stop(signal) => message(b'Q', signal),
        }
    }

    /// Reads a message; none when it is not one.
    pub fn decode(bytes: &[u8]) -> Option<Event> {
        let (tag, number) = parts(bytes)?;
        match tag {
            b'H' => Some(Event::Hello(number)),
            b'S' => Some(Event::Started(number)),
            b'X' => Some(Event::Exited(number)),
            b'Q' => Some(Event::Stop(number)),
            _ => None,
        }
    }
}

impl Order {
    /// The message on the wire.
    pub fn encode(self) -> [u8; MESSAGE_LEN] {
        let tag = match self {
            Order::Start => b's',
            Order::Terminate => b't',
            Order::Kill => b'k',
            Order::Finished => b'f',
            Order::Deadline => b'd',
        };
        message(tag, 0)
    }

    /// Reads a message; none when it is not one.
    pub fn decode(bytes: &[u8]) -> Option<Order> {
        match parts(bytes)?.0 {
            b's' => Some(Order::Start),
            b't' => Some(Order::Terminate),
            b'k' => Some(Order::Kill),
            b'f' => Some(Order::Finished),
            b'd' => Some(Order::Deadline),
            _ => None,
        }
    }
}

fn message(tag: u8, number: i32) -> [u8; MESSAGE_LEN] {
    let n = i64::from(number).to_le_bytes();
    [tag, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]]
}

fn parts(bytes: &[u8]) -> Option<(u8, i32)> {
    let (tag, number) = bytes.split_first()?;
    let number = i64::from_le_bytes(number.try_into().ok()?);
    Some((*tag, i32::try_from(number).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_wire() {
        for event in [
            Event::Hello(0),
            Event::Hello(i32::MAX),
            Event::Started(7),
            Event::Exited(-1),
            Event::Stop(15),
        ] {
            assert_eq!(Event::decode(&event.encode()), Some(event));
        }
        for order in [
            Order::Start,
            Order::Terminate,
            Order::Kill,
            Order::Finished,
            Order::Deadline,
        ] {
            assert_eq!(Order::decode(&order.encode()), Some(order));
        }
    }

    #[test]
    fn rubbish_is_no_message() {
        assert_eq!(Event::decode(b""), None);
        assert_eq!(Event::decode(b"H1"), None);
        assert_eq!(Event::decode(&[b'H'; 20]), None);
        assert_eq!(Event::decode(b"?\0\0\0\0\0\0\0\0"), None);
        assert_eq!(Order::decode(b"H\0\0\0\0\0\0\0\0"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0u8.., 0..12)) {
            let _ = Event::decode(&bytes);
            let _ = Order::decode(&bytes);
        }
    }
}
