//! Requests signed beforehand.
//!
//! The id is part of what an Accounting-Request signs, so there is a request for each id, in several variations: when
//! an id is used again it is with another Request Authenticator, user and session. There are variations enough for every
//! account to have its request.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use sekisho_wire::attr;
use sekisho_wire::build::{RequestBuilder, chap_response};
use sekisho_wire::code::Code;
use sekisho_wire::mschap::nt::NtHash;
use sekisho_wire::mschap::v2;
use sekisho_wire::vendor::{MICROSOFT, MS_CHAP_CHALLENGE, MS_CHAP2_RESPONSE};

use super::accounts::Account;
use super::{Kind, LoadError, Plan};

/// How many different requests there are for each id, at least.
pub const VARIATIONS: u32 = 8;

/// All requests of a load.
pub struct Pool {
    requests: Vec<Request>,
    variations: u32,
}

/// One of them.
pub struct Request {
    octets: Vec<u8>,
    authenticator: [u8; 16],
}

impl Request {
    /// The packet.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Its Request Authenticator.
    pub fn authenticator(&self) -> &[u8; 16] {
        &self.authenticator
    }
}

impl Pool {
    /// Builds and signs them.
    ///
    /// # Errors
    /// When a name or password does not fit into its attribute, or MS-CHAP cannot prove a password.
    pub fn new(plan: &Plan) -> Result<Self, LoadError> {
        let mut random = ChaCha12Rng::seed_from_u64(plan.seed);
        let accounts = plan.accounts.as_ref().map(|accounts| accounts.shuffled(plan.seed)).unwrap_or_default();
        let variations = u32::try_from(accounts.len().div_ceil(256)).unwrap_or(u32::MAX / 256).max(VARIATIONS);
        let requests = (0..variations * 256).map(|number| -> Result<Request, LoadError> {
            let login = Login::of(plan, &accounts, number as usize);
            let octets = build(plan, number, &login, &mut random)?;
            let authenticator = octets.get(4..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
            Ok(Request { octets, authenticator })
        });
        Ok(Self { requests: requests.collect::<Result<_, _>>()?, variations })
    }

    /// How many requests there are for each id.
    pub fn variations(&self) -> u32 {
        self.variations
    }

    /// The request for `id` in a variation; variations beyond the last begin again.
    pub fn request(&self, id: u8, variation: u32) -> Option<&Request> {
        self.requests.get((variation % self.variations) as usize * 256 + usize::from(id))
    }
}

/// Who logs in.
struct Login<'p> {
    /// A number of the user's own, below the number of users.
    user: usize,
    name: String,
    password: &'p str,
    calling_station_id: String,
}

impl<'p> Login<'p> {
    /// Who is in request `number` of a pool.
    fn of(plan: &'p Plan, accounts: &[&'p Account], number: usize) -> Self {
        let octet = |user: usize, place: usize| (user >> (8 * place)) as u8;
        let place = number.checked_rem(accounts.len()).unwrap_or_default();
        if let Some(account) = accounts.get(place) {
            // An account has one device: sessions are counted by it.
            let [a, b, c] = [2, 1, 0].map(|octets| octet(place, octets));
            return Self {
                user: place,
                name: account.name(&plan.realm),
                password: &account.password,
                calling_station_id: format!("02-00-5e-{a:02x}-{b:02x}-{c:02x}"),
            };
        }
        let user = number % plan.users.max(1);
        let realm = if plan.realm.is_empty() { String::new() } else { format!("@{}", plan.realm) };
        let [a, b, c] = [octet(user, 1), octet(user, 0), octet(number, 0)];
        Self {
            user,
            name: format!("user{user:05}{realm}"),
            password: &plan.password,
            calling_station_id: format!("02-00-5e-{a:02x}-{b:02x}-{c:02x}"),
        }
    }
}

impl Login<'_> {
    /// A challenge, and the value of the MS-CHAP2-Response to it (RFC 2548 §2.3.2).
    fn ms_chap(&self, ident: u8, random: &mut ChaCha12Rng) -> Result<([u8; 16], Vec<u8>), LoadError> {
        let hash = NtHash::of(self.password.as_bytes())
            .map_err(|error| LoadError::Password { name: self.name.clone(), error })?;
        let (challenge, peer_challenge): ([u8; 16], [u8; 16]) = (random.random(), random.random());
        let proof = v2::nt_response(&challenge, &peer_challenge, self.name.as_bytes(), &hash);
        // Flags and Reserved are zero.
        Ok((challenge, [&[ident, 0], &peer_challenge[..], &[0; 8], &proof[..]].concat()))
    }
}

/// Fourteen attributes, as a broadband NAS sends them; with a challenge they are fifteen.
fn build(plan: &Plan, number: u32, login: &Login<'_>, random: &mut ChaCha12Rng) -> Result<Vec<u8>, LoadError> {
    let id = (number % 256) as u8;
    let authenticator = random.random();
    let address = [10, 64 + (login.user >> 16) as u8, (login.user >> 8) as u8, login.user as u8];
    let common = |request: RequestBuilder| {
        request
            .attribute(attr::USER_NAME, &login.name)
            .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 1])
            .attribute(attr::NAS_IDENTIFIER, "bras-1.pop-3.example.net")
            .attribute(attr::NAS_PORT, number.to_be_bytes())
            .attribute(attr::NAS_PORT_TYPE, 15_u32.to_be_bytes())
            .attribute(attr::NAS_PORT_ID, format!("ge-0/0/{}.{}", number % 4, 100 + number))
            .attribute(attr::SERVICE_TYPE, 2_u32.to_be_bytes())
            .attribute(attr::FRAMED_PROTOCOL, 1_u32.to_be_bytes())
            .attribute(attr::CALLING_STATION_ID, &login.calling_station_id)
            .attribute(attr::CALLED_STATION_ID, "00-00-5e-00-53-01")
            .attribute(attr::ACCT_SESSION_ID, format!("{number:08x}{:08x}", plan.seed as u32))
    };
    let request = match plan.kind {
        Kind::Pap => common(
            RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator)
                .message_authenticator()
                .user_password(login.password.as_bytes(), &plan.secret),
        )
        .attribute(attr::FRAMED_MTU, 1492_u32.to_be_bytes()),
        Kind::Chap => {
            let challenge: [u8; 16] = random.random();
            common(
                RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator)
                    .message_authenticator()
                    .attribute(attr::CHAP_PASSWORD, chap_response(id, login.password.as_bytes(), &challenge)),
            )
            .attribute(attr::CHAP_CHALLENGE, challenge)
            .attribute(attr::FRAMED_MTU, 1492_u32.to_be_bytes())
        }
        Kind::MsChapV2 => {
            let (challenge, response) = login.ms_chap(id, random)?;
            common(RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator).message_authenticator().vendor(
                MICROSOFT,
                MS_CHAP2_RESPONSE,
                response,
            ))
            .vendor(MICROSOFT, MS_CHAP_CHALLENGE, challenge)
            .attribute(attr::FRAMED_MTU, 1492_u32.to_be_bytes())
        }
        Kind::Acct => {
            // A session's life: Start, then Interim-Updates, then Stop.
            let status: u32 = [1, 3, 3, 2][number as usize % 4];
            common(RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, authenticator))
                .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
                .attribute(attr::FRAMED_IP_ADDRESS, address)
                .attribute(attr::ACCT_SESSION_TIME, (number * 60).to_be_bytes())
        }
    };
    Ok(request.build(&plan.secret)?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sekisho_wire::attribute::attributes;

    use super::super::Accounts;
    use super::super::tests::plan;
    use super::*;

    #[test]
    fn requests_look_like_those_of_a_nas() {
        for (kind, count) in [(Kind::Acct, 14), (Kind::Pap, 14), (Kind::Chap, 15), (Kind::MsChapV2, 15)] {
            let pool = Pool::new(&plan(kind)).unwrap();
            for request in &pool.requests {
                assert_eq!(attributes(request.octets()).count(), count);
                assert!((180..=300).contains(&request.octets().len()), "{}", request.octets().len());
            }
        }
    }

    #[test]
    fn a_request_has_its_id_and_no_two_have_the_same_authenticator() {
        for kind in [Kind::Acct, Kind::Pap, Kind::Chap, Kind::MsChapV2] {
            let pool = Pool::new(&plan(kind)).unwrap();
            for id in 0..=255 {
                assert_eq!(pool.request(id, 3).unwrap().octets()[1], id);
            }
            let authenticators: HashSet<_> = pool.requests.iter().map(|request| request.authenticator).collect();
            assert_eq!(authenticators.len(), pool.requests.len());
        }
    }

    fn value(request: &Request, number: u8) -> Vec<u8> {
        attributes(request.octets()).find(|attribute| attribute.number == number).unwrap().value.to_vec()
    }

    #[test]
    fn every_account_has_its_request_and_a_device_of_its_own() {
        let accounts = Some(Accounts::numbered(5000));
        let pool = Pool::new(&Plan { accounts, ..plan(Kind::Pap) }).unwrap();
        assert_eq!((pool.variations(), pool.requests.len()), (20, 5120));
        let names: HashSet<_> = pool.requests.iter().map(|request| value(request, attr::USER_NAME)).collect();
        let devices: HashSet<_> = pool
            .requests
            .iter()
            .map(|request| (value(request, attr::USER_NAME), value(request, attr::CALLING_STATION_ID)))
            .collect();
        assert_eq!((names.len(), devices.len()), (5000, 5000));
        assert!(names.contains(b"user04999@acme.example".as_slice()));
        assert_ne!(
            value(&pool.requests[0], attr::USER_NAME),
            b"user00000@acme.example",
            "not in the order of the file"
        );
    }

    #[test]
    fn an_ms_chap_login_proves_its_password() {
        let pool = Pool::new(&plan(Kind::MsChapV2)).unwrap();
        let octets = pool.request(7, 0).unwrap().octets();
        let vendor = |kind| -> Vec<u8> {
            let values = attributes(octets).filter(|attribute| attribute.number == attr::VENDOR_SPECIFIC);
            values.map(|attribute| attribute.value[4..].to_vec()).find(|value| value[0] == kind).unwrap()[2..].to_vec()
        };
        let (challenge, response) = (vendor(MS_CHAP_CHALLENGE), vendor(MS_CHAP2_RESPONSE));
        let name = attributes(octets).find(|attribute| attribute.number == attr::USER_NAME).unwrap().value;
        let response = v2::Response::parse(&response).unwrap();
        let verify = |password: &[u8]| {
            let hash = NtHash::of(password).unwrap();
            v2::verify(&challenge.clone().try_into().unwrap(), &response, name, &hash).is_some()
        };
        assert!(verify(b"wonderland") && !verify(b"wonderlanD"));
        let too_long = Plan { password: "x".repeat(300), ..plan(Kind::MsChapV2) };
        assert!(Pool::new(&too_long).err().unwrap().to_string().contains("user00000@acme.example"));
    }

    #[test]
    fn a_chap_login_answers_its_own_challenge() {
        let pool = Pool::new(&plan(Kind::Chap)).unwrap();
        let request = pool.request(7, 0).unwrap();
        let challenge = value(request, attr::CHAP_CHALLENGE);
        assert_eq!(value(request, attr::CHAP_PASSWORD), chap_response(7, b"wonderland", &challenge));
        assert_ne!(challenge, request.authenticator());
    }
}
