//! An access network's equipment: it logs devices in, is told where their tunnels end, and accounts for their sessions.
//!
//! It does what such equipment does. A request without an answer is sent again, octet for octet, a few times; a record that is not
//! acknowledged by then is kept and sent anew, with its Acct-Delay-Time (RFC 2866 §5.2). Silence over a login fails the test.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sekisho_wire::attr;

use crate::nas::{Answer, Nas};
use crate::network::{ACCT, AUTH, Family, Host};
use crate::tunnels::{Tunnel, tunnels};

/// After so long a request is sent again,
const TIMEOUT: Duration = Duration::from_secs(2);
/// and so often in all.
const TRIES: u32 = 3;

/// A device, and the name of its subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Calling-Station-Id.
    pub number: String,
    /// User-Name.
    pub user: String,
    /// Called-Station-Id.
    pub apn: Option<String>,
}

impl Device {
    /// The device with a number of its own among those of a realm.
    pub fn new(n: usize, realm: &str) -> Device {
        Device { number: format!("090{n:08}"), user: format!("user-{n}@{realm}"), apn: None }
    }

    /// So many of them.
    pub fn many(count: usize, realm: &str) -> Vec<Device> {
        (0..count).map(|n| Device::new(n, realm)).collect()
    }

    /// Gives it an APN.
    #[must_use]
    pub fn apn(mut self, apn: &str) -> Device {
        self.apn = Some(apn.to_owned());
        self
    }
}

/// What came of a login.
#[derive(Clone, Debug)]
pub struct Login {
    /// The device that logged in.
    pub device: Device,
    /// The answer.
    pub answer: Answer,
    /// Its tunnels, the most preferred first.
    pub tunnels: Vec<Tunnel>,
}

impl Login {
    /// Whether it is an Accept.
    pub fn is_accepted(&self) -> bool {
        self.answer.code().0 == 2
    }

    /// Where the first tunnel ends. Fails the test if there is none.
    #[track_caller]
    pub fn endpoint(&self) -> &str {
        assert!(self.is_accepted(), "{} was not accepted: {:?}", self.device.user, self.reason());
        &self.tunnels.first().expect("a tunnel").server
    }

    /// Error-Cause and Reply-Message of a Reject.
    pub fn reason(&self) -> (u32, Option<String>) {
        let cause = self.answer.values(attr::ERROR_CAUSE);
        let cause = cause.first().map_or(0, |value| value.iter().fold(0, |all, octet| all << 8 | u32::from(*octet)));
        let message = self.answer.values(attr::REPLY_MESSAGE);
        (cause, message.first().map(|value| String::from_utf8_lossy(value).into_owned()))
    }

    /// The session that begins with it, in its first tunnel.
    pub fn session(&self) -> Session {
        Session::new(&self.device, self.endpoint())
    }
}

/// A session that the equipment accounts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Acct-Session-Id.
    pub id: String,
    /// Whose it is.
    pub device: Device,
    /// Where its tunnel ends: Tunnel-Server-Endpoint of its records. Empty: they say nothing of it.
    pub lns: String,
}

impl Session {
    /// A session of a device with an identity that no other has.
    pub fn new(device: &Device, lns: &str) -> Session {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let id = format!("session-{}", COUNT.fetch_add(1, Relaxed));
        Session { id, device: device.clone(), lns: lns.to_owned() }
    }

    /// The same session in another tunnel.
    #[must_use]
    pub fn at(mut self, lns: &str) -> Session {
        lns.clone_into(&mut self.lns);
        self
    }
}

/// Acct-Status-Type (RFC 2866 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFC's")]
#[repr(u32)]
pub enum Status {
    Start = 1,
    Stop = 2,
    Interim = 3,
    On = 7,
    Off = 8,
}

/// One piece of equipment, with an address and a port of its own.
#[derive(Debug)]
pub struct Lac {
    nas: Nas,
    secret: String,
    identifier: String,
    server: IpAddr,
    ids: AtomicU32,
    timeout: Duration,
}

impl Lac {
    /// Equipment on `host` that gives itself this NAS-Identifier; it asks the proxy by the family of its address.
    pub fn new(host: &Host, address: IpAddr, secret: &str, identifier: &str) -> Lac {
        let server = if address.is_ipv4() { Family::V4 } else { Family::V6 }.proxy();
        let nas = Nas::new(host, address, secret);
        let (secret, identifier) = (secret.to_owned(), identifier.to_owned());
        Lac { nas, secret, identifier, server, ids: AtomicU32::new(0), timeout: TIMEOUT }
    }

    /// Lets it send a request again after so long.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Lac {
        Lac { timeout, ..self }
    }

    /// Its socket, to send what no equipment sends.
    pub fn nas(&self) -> &Nas {
        &self.nas
    }

    /// Where it logs in.
    pub fn auth(&self) -> SocketAddr {
        SocketAddr::new(self.server, AUTH)
    }

    /// Where it sends accounting.
    pub fn acct(&self) -> SocketAddr {
        SocketAddr::new(self.server, ACCT)
    }

    /// Logs a device in.
    #[track_caller]
    pub fn login(&self, device: &Device) -> Login {
        self.logins(std::slice::from_ref(device)).remove(0)
    }

    /// Logs devices in, many at once, in this order.
    #[track_caller]
    pub fn logins(&self, devices: &[Device]) -> Vec<Login> {
        let asked = self.exchange(self.auth(), devices.len(), |n, id| self.login_request(id, &devices[n]));
        let judge = |(device, (request, answer)): (&Device, (Vec<u8>, Option<Answer>))| {
            let answer = answer.unwrap_or_else(|| panic!("silence over the login of {}", device.user));
            let tunnels =
                if answer.code().0 == 2 { tunnels(&answer.bytes, &request, &self.secret) } else { Vec::new() };
            Login { device: device.clone(), answer, tunnels }
        };
        devices.iter().zip(asked).map(judge).collect()
    }

    /// The Access-Request of a device.
    pub fn login_request(&self, id: u8, device: &Device) -> Vec<u8> {
        let mut more = vec![(attr::NAS_IDENTIFIER, self.identifier.as_bytes())];
        if !device.number.is_empty() {
            more.push((attr::CALLING_STATION_ID, device.number.as_bytes()));
        }
        more.extend(device.apn.as_ref().map(|apn| (attr::CALLED_STATION_ID, apn.as_bytes())));
        self.nas.login_with(id, &device.user, "wonderland", &more)
    }

    /// Reports on a session; fails the test unless that is acknowledged.
    #[track_caller]
    pub fn report(&self, status: Status, session: &Session) {
        self.report_all(status, std::slice::from_ref(session));
    }

    /// Reports the same of many sessions.
    #[track_caller]
    pub fn report_all(&self, status: Status, sessions: &[Session]) {
        let acknowledged = self.try_report_all(status, sessions);
        let lost = sessions.iter().zip(&acknowledged).find(|(_, acknowledged)| !**acknowledged);
        assert!(lost.is_none(), "not acknowledged: {status:?} {lost:?}");
    }

    /// The same, and whether each was acknowledged.
    pub fn try_report_all(&self, status: Status, sessions: &[Session]) -> Vec<bool> {
        self.reported_late(status, sessions, None)
    }

    /// Reports the same of many sessions until each is acknowledged, for at most `limit`: what is not comes anew, later.
    #[track_caller]
    pub fn insist_on_all(&self, status: Status, sessions: &[Session], limit: Duration) {
        let begun = Instant::now();
        let mut left = sessions.to_vec();
        let mut delay = None;
        while !left.is_empty() {
            assert!(begun.elapsed() < limit, "{} records were not acknowledged within {limit:?}", left.len());
            let acknowledged = self.reported_late(status, &left, delay);
            left = left.into_iter().zip(acknowledged).filter(|(_, is)| !is).map(|(session, _)| session).collect();
            delay = Some(begun.elapsed().as_secs() as u32);
        }
    }

    fn reported_late(&self, status: Status, sessions: &[Session], delay: Option<u32>) -> Vec<bool> {
        let delay = delay.map(u32::to_be_bytes);
        let more: Vec<(u8, &[u8])> = delay.iter().map(|delay| (attr::ACCT_DELAY_TIME, &delay[..])).collect();
        let asked = self.exchange(self.acct(), sessions.len(), |n, id| self.record(id, status, &sessions[n], &more));
        asked.into_iter().map(|(_, answer)| answer.is_some()).collect()
    }

    /// Begins the session of each login, in its first tunnel.
    #[track_caller]
    pub fn start_all(&self, logins: &[Login]) -> Vec<Session> {
        let sessions: Vec<Session> = logins.iter().map(Login::session).collect();
        self.report_all(Status::Start, &sessions);
        sessions
    }

    /// Logs a device in and begins its session.
    #[track_caller]
    pub fn connect(&self, device: &Device) -> Session {
        self.start_all(&[self.login(device)]).remove(0)
    }

    /// Accounting-On or -Off of this equipment; fails the test unless it is acknowledged.
    #[track_caller]
    pub fn restarted(&self, status: Status) {
        // It is about no session, and has an identity of one all the same (RFC 2866 §5.5).
        let asked =
            self.exchange(self.acct(), 1, |_, id| self.request(id, status, &[(attr::ACCT_SESSION_ID, b"00000000")]));
        assert!(asked[0].1.is_some(), "not acknowledged: {status:?}");
    }

    /// The Accounting-Request of a session, with further attributes.
    pub fn record(&self, id: u8, status: Status, session: &Session, more: &[(u8, &[u8])]) -> Vec<u8> {
        let Session { id: name, device, lns } = session;
        let endpoint = lns.as_bytes();
        let mut attributes = vec![(attr::ACCT_SESSION_ID, name.as_bytes()), (attr::USER_NAME, device.user.as_bytes())];
        if !device.number.is_empty() {
            attributes.push((attr::CALLING_STATION_ID, device.number.as_bytes()));
        }
        attributes.extend(device.apn.as_ref().map(|apn| (attr::CALLED_STATION_ID, apn.as_bytes())));
        if !endpoint.is_empty() {
            attributes.push((attr::TUNNEL_SERVER_ENDPOINT, endpoint));
        }
        attributes.extend(more);
        self.request(id, status, &attributes)
    }

    fn request(&self, id: u8, status: Status, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let status = (status as u32).to_be_bytes();
        let head = [(attr::NAS_IDENTIFIER, self.identifier.as_bytes()), (attr::ACCT_STATUS_TYPE, &status[..])];
        let attributes: Vec<_> = head.iter().chain(attributes).copied().collect();
        self.nas.request(4, id, &attributes)
    }

    /// Asks so many requests, some at once, each three times if need be, and gives request and answer in their order.
    fn exchange(
        &self,
        to: SocketAddr,
        count: usize,
        build: impl Fn(usize, u8) -> Vec<u8>,
    ) -> Vec<(Vec<u8>, Option<Answer>)> {
        /// At once: half of the identifiers, so that none is used again soon.
        const WINDOW: usize = 128;
        struct Asked {
            n: usize,
            request: Vec<u8>,
            tries: u32,
            due: Instant,
        }
        let mut done: Vec<Option<(Vec<u8>, Option<Answer>)>> = vec![None; count];
        let mut asked: HashMap<u8, Asked> = HashMap::new();
        let mut next = 0;
        while next < count || !asked.is_empty() {
            while next < count && asked.len() < WINDOW {
                let id = self.ids.fetch_add(1, Relaxed) as u8;
                if asked.contains_key(&id) {
                    continue;
                }
                let request = build(next, id);
                self.nas.send(to, &request);
                asked.insert(id, Asked { n: next, request, tries: 1, due: Instant::now() + self.timeout });
                next += 1;
            }
            let now = Instant::now();
            let first = asked.values().map(|it| it.due).min().unwrap_or(now);
            if let Some(bytes) = self.nas.receive(first.saturating_duration_since(now)) {
                // The second answer to a request that was sent twice is nobody's any more.
                if let Some(Asked { n, request, .. }) = asked.remove(&bytes[1]) {
                    let answer = self.nas.judge(&request, bytes);
                    done[n] = Some((request, Some(answer)));
                }
            }
            let now = Instant::now();
            asked.retain(|_, it| {
                if it.due <= now && it.tries < TRIES {
                    self.nas.send(to, &it.request);
                    (it.tries, it.due) = (it.tries + 1, now + self.timeout);
                } else if it.due <= now {
                    done[it.n] = Some((std::mem::take(&mut it.request), None));
                }
                it.due > now
            });
        }
        done.into_iter().flatten().collect()
    }
}

/// How many logins each LNS got first.
pub fn shares(logins: &[Login]) -> HashMap<String, usize> {
    let mut shares = HashMap::new();
    for login in logins {
        *shares.entry(login.endpoint().to_owned()).or_default() += 1;
    }
    shares
}
