//! Generic netlink messages as taskstats uses them: `linux/netlink.h`, `linux/genetlink.h`, `linux/taskstats.h`.
//!
//! ```text
//! nlmsghdr  length u32, type u16, flags u16, sequence u32, port u32
//! genlmsghdr  command u8, version u8, reserved u16
//! nlattr  length u16, type u16, payload, padding to 4 bytes; some payloads are attributes again
//! ```

use std::io;

use super::Ended;

const HEADER_BYTES: usize = 16;
const GENERIC_BYTES: usize = 4;
const ATTRIBUTE_BYTES: usize = 4;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
/// The family that knows the numbers of the others.
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const TASKSTATS_CMD_GET: u8 = 1;
const TASKSTATS_CMD_ATTR_REGISTER_CPUMASK: u16 = 3;
const TASKSTATS_TYPE_STATS: u16 = 3;
const TASKSTATS_TYPE_AGGR_PID: u16 = 4;
/// Set on attributes that hold attributes.
const NLA_F_NESTED: u16 = 1 << 15;

/// Offsets in `struct taskstats`, which only ever grows at its end.
const VERSION_AT: usize = 0;
const CPU_RUN_VIRTUAL_TOTAL_AT: usize = 72;
const AC_TGID_AT: usize = 368;
/// The first version with `ac_tgid`.
const VERSION_WITH_TGID: u16 = 12;

/// A message to the kernel.
pub(super) struct Request(Vec<u8>);

impl Request {
    /// Asks for a family's number; `name` ends in a zero.
    pub(super) fn family(name: &[u8]) -> Self {
        Self::new(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, name)
    }

    /// Asks for the records of threads that end on CPUs of a list; `cpus` ends in a zero.
    pub(super) fn register(family: u16, cpus: &[u8]) -> Self {
        Self::new(
            family,
            TASKSTATS_CMD_GET,
            TASKSTATS_CMD_ATTR_REGISTER_CPUMASK,
            cpus,
        )
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn new(family: u16, command: u8, attribute: u16, payload: &[u8]) -> Self {
        let attribute_bytes = ATTRIBUTE_BYTES + payload.len();
        let length = HEADER_BYTES + GENERIC_BYTES + attribute_bytes.next_multiple_of(4);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend((length as u32).to_ne_bytes());
        bytes.extend(family.to_ne_bytes());
        bytes.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
        bytes.extend([0; 8]); // sequence and port: one question at a time, to the kernel
        bytes.extend([command, 1, 0, 0]);
        bytes.extend((attribute_bytes as u16).to_ne_bytes());
        bytes.extend(attribute.to_ne_bytes());
        bytes.extend(payload);
        bytes.resize(length, 0);
        Self(bytes)
    }
}

/// An answer of the kernel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The request was done.
    Acknowledged,
    /// A family's number.
    Family(u16),
    /// Anything else.
    Other,
}

impl Reply {
    /// Reads an answer; one that is an error becomes one.
    pub(super) fn read(datagram: &[u8]) -> io::Result<Self> {
        let kind = half(datagram, 4);
        if kind == Some(NLMSG_ERROR) {
            let code = word(datagram, HEADER_BYTES).map_or(0, u32::cast_signed);
            return match code {
                0 => Ok(Self::Acknowledged),
                code => Err(io::Error::from_raw_os_error(code.wrapping_neg())),
            };
        }
        let attributes = datagram.get(HEADER_BYTES + GENERIC_BYTES..).unwrap_or_default();
        let family = find(attributes, CTRL_ATTR_FAMILY_ID).and_then(|payload| half(payload, 0));
        Ok(family
            .filter(|_| kind == Some(GENL_ID_CTRL))
            .map_or(Self::Other, Self::Family))
    }
}

/// The threads that a datagram says have ended.
pub(super) fn threads(datagram: &[u8], family: u16) -> Vec<Ended> {
    let mut ended = Vec::new();
    let mut rest = datagram;
    while let Some(length) = word(rest, 0).map(|length| length as usize) {
        let Some(message) = rest
            .get(..length)
            .filter(|_| length >= HEADER_BYTES + GENERIC_BYTES)
        else {
            break;
        };
        if half(message, 4) == Some(family) {
            ended.extend(thread(&message[HEADER_BYTES + GENERIC_BYTES..]));
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    ended
}

/// The thread of one message; none where it is of a process or of an older version.
fn thread(attributes: &[u8]) -> Option<Ended> {
    let of_thread = find(attributes, TASKSTATS_TYPE_AGGR_PID)?;
    let stats = find(of_thread, TASKSTATS_TYPE_STATS)?;
    half(stats, VERSION_AT).filter(|version| *version >= VERSION_WITH_TGID)?;
    Some(Ended {
        pid: word(stats, AC_TGID_AT)?,
        cpu_ns: long(stats, CPU_RUN_VIRTUAL_TOTAL_AT)?,
    })
}

/// The payload of the first attribute of a type, of several one after the other.
fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(half(attributes, 0)?);
        let kind = half(attributes, 2)? & !NLA_F_NESTED;
        let payload = attributes.get(ATTRIBUTE_BYTES..length)?;
        if kind == wanted {
            return Some(payload);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_is_told_by_its_number() {
        let mut answer = vec![0; 20];
        answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        assert_eq!(Reply::read(&answer).unwrap(), Reply::Acknowledged);
        answer[16..20].copy_from_slice(&(-libc::EPERM).to_ne_bytes());
        assert_eq!(
            Reply::read(&answer).unwrap_err().raw_os_error(),
            Some(libc::EPERM)
        );
    }

    proptest! {
        #[test]
        fn no_datagram_does_harm(datagram in prop::collection::vec(any::<u8>(), 0..600), family: u16) {
            let _ = Reply::read(&datagram);
            let _ = threads(&datagram, family);
        }
    }
}
