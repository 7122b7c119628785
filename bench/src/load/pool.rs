//! Requests signed beforehand.
//!
//! The id is part of what an Accounting-Request signs, so there is a request for each id, in several variations: when
//! an id is used again it is with another Request Authenticator, user and session.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use sekisho_wire::attr;
use sekisho_wire::build::{BuildError, RequestBuilder};
use sekisho_wire::code::Code;

use super::{Kind, Plan};

/// How many different requests there are for each id.
pub const VARIATIONS: u32 = 8;

/// All requests of a load.
pub struct Pool(Vec<Request>);

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
    /// When a name or password does not fit into its attribute.
    pub fn new(plan: &Plan) -> Result<Self, BuildError> {
        let mut random = ChaCha12Rng::seed_from_u64(plan.seed);
        let requests = (0..VARIATIONS * 256).map(|number| {
            let octets = build(plan, number, random.random())?;
            let authenticator = octets.get(4..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
            Ok(Request { octets, authenticator })
        });
        Ok(Self(requests.collect::<Result<_, BuildError>>()?))
    }

    /// The request for `id` in a variation; variations beyond the last begin again.
    pub fn request(&self, id: u8, variation: u32) -> Option<&Request> {
        self.0.get((variation % VARIATIONS) as usize * 256 + usize::from(id))
    }
}

/// Fourteen attributes, as a broadband NAS sends them.
fn build(plan: &Plan, number: u32, authenticator: [u8; 16]) -> Result<Vec<u8>, BuildError> {
    let id = (number % 256) as u8;
    let user = number as usize % plan.users.max(1);
    let name = if plan.realm.is_empty() { format!("user{user:05}") } else { format!("user{user:05}@{}", plan.realm) };
    let address = [10, 64 + (user >> 16) as u8, (user >> 8) as u8, user as u8];
    let common = |request: RequestBuilder| {
        request
            .attribute(attr::USER_NAME, &name)
            .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 1])
            .attribute(attr::NAS_IDENTIFIER, "bras-1.pop-3.example.net")
            .attribute(attr::NAS_PORT, number.to_be_bytes())
            .attribute(attr::NAS_PORT_TYPE, 15_u32.to_be_bytes())
            .attribute(attr::NAS_PORT_ID, format!("ge-0/0/{}.{}", number % 4, 100 + number))
            .attribute(attr::SERVICE_TYPE, 2_u32.to_be_bytes())
            .attribute(attr::FRAMED_PROTOCOL, 1_u32.to_be_bytes())
            .attribute(
                attr::CALLING_STATION_ID,
                format!("02-00-5e-{:02x}-{:02x}-{id:02x}", user >> 8 & 0xff, user & 0xff),
            )
            .attribute(attr::CALLED_STATION_ID, "00-00-5e-00-53-01")
            .attribute(attr::ACCT_SESSION_ID, format!("{number:08x}{:08x}", plan.seed as u32))
    };
    let request = match plan.kind {
        Kind::Pap => common(
            RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator)
                .message_authenticator()
                .user_password(plan.password.as_bytes(), &plan.secret),
        )
        .attribute(attr::FRAMED_MTU, 1492_u32.to_be_bytes()),
        Kind::Acct => {
            // A session's life: Start, then Interim-Updates, then Stop.
            let status: u32 = [1, 3, 3, 2][number as usize % 4];
            common(RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, authenticator))
                .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
                .attribute(attr::FRAMED_IP_ADDRESS, address)
                .attribute(attr::ACCT_SESSION_TIME, (number * 60).to_be_bytes())
        }
    };
    request.build(&plan.secret)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sekisho_wire::attribute::attributes;

    use super::super::tests::plan;
    use super::*;

    #[test]
    fn requests_look_like_those_of_a_nas() {
        for kind in [Kind::Acct, Kind::Pap] {
            let pool = Pool::new(&plan(kind)).unwrap();
            for request in &pool.0 {
                assert_eq!(attributes(request.octets()).count(), 14);
                assert!((180..=230).contains(&request.octets().len()), "{}", request.octets().len());
            }
        }
    }

    #[test]
    fn a_request_has_its_id_and_no_two_have_the_same_authenticator() {
        for kind in [Kind::Acct, Kind::Pap] {
            let pool = Pool::new(&plan(kind)).unwrap();
            for id in 0..=255 {
                assert_eq!(pool.request(id, 3).unwrap().octets()[1], id);
            }
            let authenticators: HashSet<_> = pool.0.iter().map(|request| request.authenticator).collect();
            assert_eq!(authenticators.len(), pool.0.len());
        }
    }
}
