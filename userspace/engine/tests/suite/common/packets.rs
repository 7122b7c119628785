//! Packets that NASes and home servers send, and what they find in those that they get.

use super::*;

/// A PAP login with Message-Authenticator.
pub fn pap(id: u8, user: &str, authenticator: u8) -> Vec<u8> {
    RequestBuilder::new(Code::ACCESS_REQUEST, id, [authenticator; 16])
        .attribute(attr::USER_NAME, user)
        .user_password(b"opensesame", &nas_secret())
        .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 10])
        .message_authenticator()
        .build(&nas_secret())
        .unwrap()
}

/// An accounting record of this Acct-Status-Type.
pub fn accounting(id: u8, user: &str, status: u32) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, format!("session-{id}"));
    if !user.is_empty() {
        builder = builder.attribute(attr::USER_NAME, user);
    }
    builder.build(&nas_secret()).unwrap()
}

/// What the home server (`index` in the snapshot) makes of the request: verified as a server would.
pub fn verified_at_home(sent: &Sent, index: usize) -> Vec<(u8, Vec<u8>)> {
    let mut buf = Buf::new();
    buf.load(&sent.bytes).unwrap();
    let layout = scan(buf.bytes()).unwrap();
    let policy =
        RequestPolicy { require_message_authenticator: layout.code == Code::ACCESS_REQUEST, limit_proxy_state: true };
    verify_request(&buf, &layout, &home_secret(index), policy).unwrap();
    attributes(&sent.bytes).map(|attribute| (attribute.number, attribute.value.to_vec())).collect()
}

/// A home server's reply to a request of ours.
pub fn home_reply(sent: &Sent, index: usize, code: Code, attrs: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buf = Buf::new();
    let authenticator = sent.bytes[4..20].try_into().unwrap();
    write_reply(&mut buf, code, sent.bytes[1], &authenticator, &home_secret(index), &sent.bytes, attrs).unwrap();
    buf.bytes().to_vec()
}

/// A home server's reply as `write` makes it, attribute after attribute, with a right Response Authenticator.
pub fn written_reply(
    sent: &Sent,
    secret: &str,
    code: Code,
    write: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Vec<u8> {
    let authenticator = sent.bytes[4..20].try_into().unwrap();
    let key = Secret::new(secret).unwrap();
    let mut reply = write(RequestBuilder::new(code, sent.bytes[1], authenticator)).build(&key).unwrap();
    let digest = Md5::digest(&[&reply[..], secret.as_bytes()].concat());
    reply[4..20].copy_from_slice(&digest);
    reply
}

/// Verifies a reply as the NAS does, and gives its attributes.
pub fn verified_at_nas(reply: &Sent, request: &[u8]) -> Vec<(u8, Vec<u8>)> {
    verified_with(reply, request, &nas_secret())
}

/// The same for a NAS with this secret.
pub fn verified_with(reply: &Sent, request: &[u8], secret: &Secret) -> Vec<(u8, Vec<u8>)> {
    let mut buf = Buf::new();
    buf.load(&reply.bytes).unwrap();
    let layout = scan(buf.bytes()).unwrap();
    let authenticator = request[4..20].try_into().unwrap();
    verify_reply(&buf, &layout, &authenticator, secret, true).unwrap();
    assert_eq!(layout.id, request[1]);
    attributes(&reply.bytes).map(|attribute| (attribute.number, attribute.value.to_vec())).collect()
}

pub fn proxy_states(attrs: &[(u8, Vec<u8>)]) -> Vec<Vec<u8>> {
    attrs.iter().filter(|(number, _)| *number == attr::PROXY_STATE).map(|(_, value)| value.clone()).collect()
}
