//! What a request is answered with, when nothing is to go wrong.

use sekisho_wire::attr;
use sekisho_wire::buf::Buf;
use sekisho_wire::build::{chap_response, salted_field, vendor_value, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::password::{MAX_PASSWORD, unhide, without_padding};
use sekisho_wire::scan::{Layout, scan};
use sekisho_wire::secret::Secret;
use sekisho_wire::vendor::{MICROSOFT, MS_MPPE_RECV_KEY, MS_MPPE_SEND_KEY};
use sekisho_wire::verify::{RequestPolicy, verify_request};

use super::Users;

/// What an Access-Accept carries beside Message-Authenticator, Proxy-States, Class and Reply-Message.
#[derive(Clone, Default)]
pub struct Extras {
    /// Tunnel-Passwords (RFC 2868 §3.5), tagged 1, 2, … in this order.
    pub tunnel_passwords: Vec<String>,
    /// MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548 §2.4), 32 octets each, fixed so that tests know them.
    pub mppe_keys: bool,
    /// Access-Requests without Message-Authenticator are discarded.
    pub require_message_authenticator: bool,
}

/// The octet that the MS-MPPE-Send-Key of [`Extras::mppe_keys`] consists of.
pub const MPPE_SEND_KEY: u8 = 0x5e;
/// The octet that the MS-MPPE-Recv-Key of [`Extras::mppe_keys`] consists of.
pub const MPPE_RECV_KEY: u8 = 0x4e;

impl std::fmt::Debug for Extras {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extras")
            .field("tunnel_passwords", &self.tunnel_passwords.len())
            .field("mppe_keys", &self.mppe_keys)
            .field("require_message_authenticator", &self.require_message_authenticator)
            .finish()
    }
}

/// Which port a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// RFC 2865's.
    Authentication,
    /// RFC 2866's.
    Accounting,
}

/// A right request, and the code of the answer that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The request's code.
    pub request: Code,
    /// The request's id.
    pub id: u8,
    /// Its Request Authenticator.
    pub authenticator: [u8; 16],
    /// The reply's code.
    pub reply: Code,
}

/// Why a request stays unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It is no RADIUS packet.
    Malformed,
    /// Its authenticators are wrong, or it breaks a rule of its code.
    Refused,
    /// Its code is not for this port.
    Misplaced,
}

/// Writes the answer to `request` into `reply`.
pub fn answer(
    request: &Buf,
    port: Port,
    secret: &Secret,
    users: &Users,
    extras: &Extras,
    reply: &mut Buf,
) -> Result<Answered, Silence> {
    let layout = scan(request.bytes()).map_err(|_| Silence::Malformed)?;
    let policy =
        RequestPolicy { require_message_authenticator: extras.require_message_authenticator, limit_proxy_state: false };
    verify_request(request, &layout, secret, policy).map_err(|_| Silence::Refused)?;
    let packet = layout.packet(request.bytes());
    let authenticator = layout.authenticator(packet).ok_or(Silence::Malformed)?;
    let code = match (port, layout.code) {
        (Port::Authentication, Code::ACCESS_REQUEST) if password_is_right(packet, &layout, secret, users) => {
            Code::ACCESS_ACCEPT
        }
        (Port::Authentication, Code::ACCESS_REQUEST) => Code::ACCESS_REJECT,
        (Port::Authentication, Code::STATUS_SERVER) => Code::ACCESS_ACCEPT,
        (Port::Accounting, Code::ACCOUNTING_REQUEST | Code::STATUS_SERVER) => Code::ACCOUNTING_RESPONSE,
        _ => return Err(Silence::Misplaced),
    };
    let salted = if code == Code::ACCESS_ACCEPT && layout.code == Code::ACCESS_REQUEST {
        salted_attributes(extras, secret, &authenticator)
    } else {
        Vec::new()
    };
    let mut attributes: Vec<(u8, &[u8])> = match (layout.code, code) {
        (Code::ACCESS_REQUEST, Code::ACCESS_ACCEPT) => {
            vec![(attr::CLASS, b"sekisho-home".as_slice()), (attr::REPLY_MESSAGE, b"Welcome".as_slice())]
        }
        (_, Code::ACCESS_REJECT) => vec![(attr::REPLY_MESSAGE, b"Wrong name or password".as_slice())],
        _ => Vec::new(),
    };
    attributes.extend(salted.iter().map(|(number, value)| (*number, value.as_slice())));
    write_reply(reply, code, layout.id, &authenticator, secret, packet, &attributes).map_err(|_| Silence::Refused)?;
    Ok(Answered { request: layout.code, id: layout.id, authenticator, reply: code })
}

fn password_is_right(packet: &[u8], layout: &Layout, secret: &Secret, users: &Users) -> bool {
    let name = layout.user_name.map_or(b"".as_slice(), |name| name.of(packet));
    let (Some(expected), Some(authenticator)) = (users.password(name), layout.authenticator(packet)) else {
        return false;
    };
    if let Some(hidden) = layout.user_password {
        let mut room = [0; MAX_PASSWORD];
        let hidden = hidden.of(packet);
        let Some(password) = room.get_mut(..hidden.len()) else { return false };
        password.copy_from_slice(hidden);
        return unhide(password, secret, &authenticator).is_ok() && without_padding(password) == expected;
    }
    let Some(response) = layout.chap_password.map(|response| response.of(packet)) else { return false };
    // RFC 2865 §5.40: without CHAP-Challenge the Request Authenticator is the challenge.
    let challenge = layout.chap_challenge.map_or(authenticator.as_slice(), |challenge| challenge.of(packet));
    response.first().is_some_and(|id| chap_response(*id, expected, challenge) == response)
}

fn salted_attributes(extras: &Extras, secret: &Secret, authenticator: &[u8; 16]) -> Vec<(u8, Vec<u8>)> {
    // Salts must differ within a packet and have the top bit set (RFC 2868 §3.5).
    let mut salts = 0x8000..=u16::MAX;
    let mut field = |data: &[u8]| salted_field(data, salts.next()?, secret, authenticator).ok();
    let mut attributes = Vec::new();
    for (tag, password) in (1..).zip(&extras.tunnel_passwords) {
        attributes
            .extend(field(password.as_bytes()).map(|field| (attr::TUNNEL_PASSWORD, [&[tag], &field[..]].concat())));
    }
    if extras.mppe_keys {
        for (kind, octet) in [(MS_MPPE_SEND_KEY, MPPE_SEND_KEY), (MS_MPPE_RECV_KEY, MPPE_RECV_KEY)] {
            let field = field(&[octet; 32]);
            attributes.extend(field.map(|field| (attr::VENDOR_SPECIFIC, vendor_value(MICROSOFT, kind, &field))));
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use sekisho_wire::attribute::{attributes, proxy_states};
    use sekisho_wire::build::RequestBuilder;
    use sekisho_wire::salted::decrypt;
    use sekisho_wire::verify::verify_reply;

    use super::*;

    const RA: [u8; 16] = *b"0123456789abcdef";

    struct Bench {
        secret: Secret,
        users: Users,
        extras: Extras,
    }

    impl Bench {
        fn new() -> Self {
            let users = ["alice@acme.example:wonderland".parse().unwrap()].into_iter().collect();
            Self { secret: Secret::new("sixteen octets..").unwrap(), users, extras: Extras::default() }
        }

        fn ask(&self, port: Port, packet: &[u8]) -> (Result<Answered, Silence>, Buf) {
            let (mut request, mut reply) = (Buf::new(), Buf::new());
            request.load(packet).unwrap();
            let answered = answer(&request, port, &self.secret, &self.users, &self.extras, &mut reply);
            if let Ok(answered) = answered {
                let layout = scan(reply.bytes()).unwrap();
                verify_reply(&reply, &layout, &answered.authenticator, &self.secret, true).unwrap();
            }
            (answered, reply)
        }

        fn reply_to(&self, builder: RequestBuilder) -> Code {
            self.ask(Port::Authentication, &builder.build(&self.secret).unwrap()).0.unwrap().reply
        }

        fn login(&self) -> RequestBuilder {
            RequestBuilder::new(Code::ACCESS_REQUEST, 9, RA).attribute(attr::USER_NAME, "alice@acme.example")
        }
    }

    #[test]
    fn the_right_password_is_accepted_and_a_wrong_one_rejected() {
        let bench = Bench::new();
        let pap = |password: &[u8]| bench.reply_to(bench.login().user_password(password, &bench.secret));
        assert_eq!(pap(b"wonderland"), Code::ACCESS_ACCEPT);
        assert_eq!(pap(b"wonderlanD"), Code::ACCESS_REJECT);
        assert_eq!(pap(b""), Code::ACCESS_REJECT);
        let chap = |password: &[u8]| bench.reply_to(bench.login().chap_password(3, password));
        assert_eq!(chap(b"wonderland"), Code::ACCESS_ACCEPT);
        assert_eq!(chap(b"x"), Code::ACCESS_REJECT);
        assert_eq!(bench.reply_to(bench.login()), Code::ACCESS_REJECT, "no password at all");
    }

    #[test]
    fn chap_with_a_challenge_of_its_own_is_accepted() {
        let bench = Bench::new();
        let response = chap_response(1, b"wonderland", b"a challenge");
        let login = bench.login().attribute(attr::CHAP_CHALLENGE, "a challenge");
        assert_eq!(bench.reply_to(login.attribute(attr::CHAP_PASSWORD, response)), Code::ACCESS_ACCEPT);
    }

    #[test]
    fn a_reply_begins_with_the_message_authenticator_and_repeats_the_proxy_states() {
        let bench = Bench::new();
        let login = bench.login().message_authenticator().user_password(b"wonderland", &bench.secret);
        let login = login.attribute(attr::PROXY_STATE, "one").attribute(attr::PROXY_STATE, "two");
        let (_, reply) = bench.ask(Port::Authentication, &login.build(&bench.secret).unwrap());
        assert_eq!(attributes(reply.bytes()).next().unwrap().number, attr::MESSAGE_AUTHENTICATOR);
        assert_eq!(proxy_states(reply.bytes()).collect::<Vec<_>>(), [b"one", b"two"]);
    }

    #[test]
    fn accounting_is_acknowledged_on_its_port_only() {
        let bench = Bench::new();
        let record = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
            .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 1])
            .attribute(attr::ACCT_SESSION_ID, "s1")
            .build(&bench.secret)
            .unwrap();
        assert_eq!(bench.ask(Port::Accounting, &record).0.unwrap().reply, Code::ACCOUNTING_RESPONSE);
        assert_eq!(bench.ask(Port::Authentication, &record).0, Err(Silence::Misplaced));
    }

    #[test]
    fn another_secret_is_met_with_silence() {
        let bench = Bench::new();
        let other = Secret::new("another").unwrap();
        let login = bench.login().message_authenticator().user_password(b"wonderland", &other).build(&other).unwrap();
        assert_eq!(bench.ask(Port::Authentication, &login).0, Err(Silence::Refused));
        assert_eq!(bench.ask(Port::Authentication, &login[..19]).0, Err(Silence::Malformed));
    }

    #[test]
    fn tunnel_passwords_and_keys_decrypt_at_the_client() {
        let mut bench = Bench::new();
        bench.extras = Extras { tunnel_passwords: vec!["a".into(), "b".into()], mppe_keys: true, ..Extras::default() };
        let login = bench.login().user_password(b"wonderland", &bench.secret).build(&bench.secret).unwrap();
        let (_, reply) = bench.ask(Port::Authentication, &login);
        let plain: Vec<Vec<u8>> = attributes(reply.bytes())
            .filter_map(|attribute| match attribute.number {
                attr::TUNNEL_PASSWORD => Some(attribute.value[1..].to_vec()),
                attr::VENDOR_SPECIFIC => Some(attribute.value[6..].to_vec()),
                _ => None,
            })
            .map(|mut field| decrypt(&mut field, &bench.secret, &RA).unwrap().to_vec())
            .collect();
        assert_eq!(plain, [b"a".to_vec(), b"b".to_vec(), vec![MPPE_SEND_KEY; 32], vec![MPPE_RECV_KEY; 32]]);
    }
}
