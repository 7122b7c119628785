//! Attribute numbers (the IANA registry "Radius Attribute Types") and their names, for those that this project
//! names anywhere. Every other attribute passes through as octets.

/// User-Name, RFC 2865 §5.1.
pub const USER_NAME: u8 = 1;
/// User-Password, RFC 2865 §5.2.
pub const USER_PASSWORD: u8 = 2;
/// CHAP-Password, RFC 2865 §5.3.
pub const CHAP_PASSWORD: u8 = 3;
/// NAS-IP-Address, RFC 2865 §5.4.
pub const NAS_IP_ADDRESS: u8 = 4;
/// NAS-Port, RFC 2865 §5.5.
pub const NAS_PORT: u8 = 5;
/// Service-Type, RFC 2865 §5.6.
pub const SERVICE_TYPE: u8 = 6;
/// Framed-Protocol, RFC 2865 §5.7.
pub const FRAMED_PROTOCOL: u8 = 7;
/// Framed-IP-Address, RFC 2865 §5.8.
pub const FRAMED_IP_ADDRESS: u8 = 8;
/// Framed-IP-Netmask, RFC 2865 §5.9.
pub const FRAMED_IP_NETMASK: u8 = 9;
/// Filter-Id, RFC 2865 §5.11.
pub const FILTER_ID: u8 = 11;
/// Framed-MTU, RFC 2865 §5.12.
pub const FRAMED_MTU: u8 = 12;
/// Reply-Message, RFC 2865 §5.18.
pub const REPLY_MESSAGE: u8 = 18;
/// Framed-Route, RFC 2865 §5.22.
pub const FRAMED_ROUTE: u8 = 22;
/// State, RFC 2865 §5.24.
pub const STATE: u8 = 24;
/// Class, RFC 2865 §5.25.
pub const CLASS: u8 = 25;
/// Vendor-Specific, RFC 2865 §5.26.
pub const VENDOR_SPECIFIC: u8 = 26;
/// Session-Timeout, RFC 2865 §5.27.
pub const SESSION_TIMEOUT: u8 = 27;
/// Idle-Timeout, RFC 2865 §5.28.
pub const IDLE_TIMEOUT: u8 = 28;
/// Called-Station-Id, RFC 2865 §5.30.
pub const CALLED_STATION_ID: u8 = 30;
/// Calling-Station-Id, RFC 2865 §5.31.
pub const CALLING_STATION_ID: u8 = 31;
/// NAS-Identifier, RFC 2865 §5.32.
pub const NAS_IDENTIFIER: u8 = 32;
/// Proxy-State, RFC 2865 §5.33.
pub const PROXY_STATE: u8 = 33;
/// Acct-Status-Type, RFC 2866 §5.1.
pub const ACCT_STATUS_TYPE: u8 = 40;
/// Acct-Delay-Time, RFC 2866 §5.2.
pub const ACCT_DELAY_TIME: u8 = 41;
/// Acct-Input-Octets, RFC 2866 §5.3.
pub const ACCT_INPUT_OCTETS: u8 = 42;
/// Acct-Output-Octets, RFC 2866 §5.4.
pub const ACCT_OUTPUT_OCTETS: u8 = 43;
/// Acct-Session-Id, RFC 2866 §5.5.
pub const ACCT_SESSION_ID: u8 = 44;
/// Acct-Authentic, RFC 2866 §5.6.
pub const ACCT_AUTHENTIC: u8 = 45;
/// Acct-Session-Time, RFC 2866 §5.7.
pub const ACCT_SESSION_TIME: u8 = 46;
/// Acct-Input-Packets, RFC 2866 §5.8.
pub const ACCT_INPUT_PACKETS: u8 = 47;
/// Acct-Output-Packets, RFC 2866 §5.9.
pub const ACCT_OUTPUT_PACKETS: u8 = 48;
/// Acct-Terminate-Cause, RFC 2866 §5.10.
pub const ACCT_TERMINATE_CAUSE: u8 = 49;
/// Acct-Multi-Session-Id, RFC 2866 §5.11.
pub const ACCT_MULTI_SESSION_ID: u8 = 50;
/// Acct-Input-Gigawords, RFC 2869 §5.1.
pub const ACCT_INPUT_GIGAWORDS: u8 = 52;
/// Acct-Output-Gigawords, RFC 2869 §5.2.
pub const ACCT_OUTPUT_GIGAWORDS: u8 = 53;
/// Event-Timestamp, RFC 2869 §5.3.
pub const EVENT_TIMESTAMP: u8 = 55;
/// CHAP-Challenge, RFC 2865 §5.40.
pub const CHAP_CHALLENGE: u8 = 60;
/// NAS-Port-Type, RFC 2865 §5.41.
pub const NAS_PORT_TYPE: u8 = 61;
/// Tunnel-Type, RFC 2868 §3.1.
pub const TUNNEL_TYPE: u8 = 64;
/// Tunnel-Medium-Type, RFC 2868 §3.2.
pub const TUNNEL_MEDIUM_TYPE: u8 = 65;
/// Tunnel-Client-Endpoint, RFC 2868 §3.3.
pub const TUNNEL_CLIENT_ENDPOINT: u8 = 66;
/// Tunnel-Server-Endpoint, RFC 2868 §3.4.
pub const TUNNEL_SERVER_ENDPOINT: u8 = 67;
/// Acct-Tunnel-Connection, RFC 2867 §4.1.
pub const ACCT_TUNNEL_CONNECTION: u8 = 68;
/// Tunnel-Password, RFC 2868 §3.5.
pub const TUNNEL_PASSWORD: u8 = 69;
/// ARAP-Password, RFC 2869 §5.4.
pub const ARAP_PASSWORD: u8 = 70;
/// ARAP-Features, RFC 2869 §5.5.
pub const ARAP_FEATURES: u8 = 71;
/// EAP-Message, RFC 3579 §3.1.
pub const EAP_MESSAGE: u8 = 79;
/// Message-Authenticator, RFC 3579 §3.2.
pub const MESSAGE_AUTHENTICATOR: u8 = 80;
/// Tunnel-Private-Group-ID, RFC 2868 §3.6.
pub const TUNNEL_PRIVATE_GROUP_ID: u8 = 81;
/// Tunnel-Assignment-ID, RFC 2868 §3.7.
pub const TUNNEL_ASSIGNMENT_ID: u8 = 82;
/// Tunnel-Preference, RFC 2868 §3.8.
pub const TUNNEL_PREFERENCE: u8 = 83;
/// ARAP-Challenge-Response, RFC 2869 §5.15.
pub const ARAP_CHALLENGE_RESPONSE: u8 = 84;
/// Acct-Interim-Interval, RFC 2869 §5.16.
pub const ACCT_INTERIM_INTERVAL: u8 = 85;
/// Acct-Tunnel-Packets-Lost, RFC 2867 §4.2.
pub const ACCT_TUNNEL_PACKETS_LOST: u8 = 86;
/// NAS-Port-Id, RFC 2869 §5.17.
pub const NAS_PORT_ID: u8 = 87;
/// Framed-Pool, RFC 2869 §5.18.
pub const FRAMED_POOL: u8 = 88;
/// Chargeable-User-Identity, RFC 4372 §2.2.
pub const CHARGEABLE_USER_IDENTITY: u8 = 89;
/// Tunnel-Client-Auth-ID, RFC 2868 §3.9.
pub const TUNNEL_CLIENT_AUTH_ID: u8 = 90;
/// Tunnel-Server-Auth-ID, RFC 2868 §3.10.
pub const TUNNEL_SERVER_AUTH_ID: u8 = 91;
/// NAS-IPv6-Address, RFC 3162 §2.1.
pub const NAS_IPV6_ADDRESS: u8 = 95;
/// Framed-Interface-Id, RFC 3162 §2.2.
pub const FRAMED_INTERFACE_ID: u8 = 96;
/// Framed-IPv6-Prefix, RFC 3162 §2.3.
pub const FRAMED_IPV6_PREFIX: u8 = 97;
/// Error-Cause, RFC 5176 §3.5.
pub const ERROR_CAUSE: u8 = 101;
/// Delegated-IPv6-Prefix, RFC 4818 §3.
pub const DELEGATED_IPV6_PREFIX: u8 = 123;
/// Operator-Name, RFC 5580 §4.1.
pub const OPERATOR_NAME: u8 = 126;
/// Extended-Type-1, RFC 6929 §3.1: the first octet of its value is the extended type.
pub const EXTENDED_1: u8 = 241;
/// Extended-Type-5, RFC 6929 §3.5: the first of the two that may be fragmented.
pub const EXTENDED_5: u8 = 245;
/// Extended-Type-6, RFC 6929 §3.6: the last of the extended ones.
pub const EXTENDED_6: u8 = 246;
/// Operator-NAS-Identifier (241.8), RFC 8559: the extended type.
pub const EXTENDED_1_OPERATOR_NAS_IDENTIFIER: u8 = 8;

/// The name of an attribute in the RFCs, for explaining a packet to a person.
pub const fn name(number: u8) -> Option<&'static str> {
    Some(match number {
        USER_NAME => "User-Name",
        USER_PASSWORD => "User-Password",
        CHAP_PASSWORD => "CHAP-Password",
        NAS_IP_ADDRESS => "NAS-IP-Address",
        NAS_PORT => "NAS-Port",
        SERVICE_TYPE => "Service-Type",
        FRAMED_PROTOCOL => "Framed-Protocol",
        FRAMED_IP_ADDRESS => "Framed-IP-Address",
        FRAMED_IP_NETMASK => "Framed-IP-Netmask",
        FILTER_ID => "Filter-Id",
        FRAMED_MTU => "Framed-MTU",
        REPLY_MESSAGE => "Reply-Message",
        FRAMED_ROUTE => "Framed-Route",
        STATE => "State",
        CLASS => "Class",
        VENDOR_SPECIFIC => "Vendor-Specific",
        SESSION_TIMEOUT => "Session-Timeout",
        IDLE_TIMEOUT => "Idle-Timeout",
        CALLED_STATION_ID => "Called-Station-Id",
        CALLING_STATION_ID => "Calling-Station-Id",
        NAS_IDENTIFIER => "NAS-Identifier",
        PROXY_STATE => "Proxy-State",
        ACCT_STATUS_TYPE => "Acct-Status-Type",
        ACCT_DELAY_TIME => "Acct-Delay-Time",
        ACCT_INPUT_OCTETS => "Acct-Input-Octets",
        ACCT_OUTPUT_OCTETS => "Acct-Output-Octets",
        ACCT_SESSION_ID => "Acct-Session-Id",
        ACCT_AUTHENTIC => "Acct-Authentic",
        ACCT_SESSION_TIME => "Acct-Session-Time",
        ACCT_INPUT_PACKETS => "Acct-Input-Packets",
        ACCT_OUTPUT_PACKETS => "Acct-Output-Packets",
        ACCT_TERMINATE_CAUSE => "Acct-Terminate-Cause",
        ACCT_MULTI_SESSION_ID => "Acct-Multi-Session-Id",
        ACCT_INPUT_GIGAWORDS => "Acct-Input-Gigawords",
        ACCT_OUTPUT_GIGAWORDS => "Acct-Output-Gigawords",
        EVENT_TIMESTAMP => "Event-Timestamp",
        CHAP_CHALLENGE => "CHAP-Challenge",
        NAS_PORT_TYPE => "NAS-Port-Type",
        TUNNEL_TYPE => "Tunnel-Type",
        TUNNEL_MEDIUM_TYPE => "Tunnel-Medium-Type",
        TUNNEL_CLIENT_ENDPOINT => "Tunnel-Client-Endpoint",
        TUNNEL_SERVER_ENDPOINT => "Tunnel-Server-Endpoint",
        ACCT_TUNNEL_CONNECTION => "Acct-Tunnel-Connection",
        TUNNEL_PASSWORD => "Tunnel-Password",
        ARAP_PASSWORD => "ARAP-Password",
        ARAP_FEATURES => "ARAP-Features",
        EAP_MESSAGE => "EAP-Message",
        MESSAGE_AUTHENTICATOR => "Message-Authenticator",
        TUNNEL_PRIVATE_GROUP_ID => "Tunnel-Private-Group-ID",
        TUNNEL_ASSIGNMENT_ID => "Tunnel-Assignment-ID",
        TUNNEL_PREFERENCE => "Tunnel-Preference",
        ARAP_CHALLENGE_RESPONSE => "ARAP-Challenge-Response",
        ACCT_INTERIM_INTERVAL => "Acct-Interim-Interval",
        ACCT_TUNNEL_PACKETS_LOST => "Acct-Tunnel-Packets-Lost",
        NAS_PORT_ID => "NAS-Port-Id",
        FRAMED_POOL => "Framed-Pool",
        CHARGEABLE_USER_IDENTITY => "Chargeable-User-Identity",
        TUNNEL_CLIENT_AUTH_ID => "Tunnel-Client-Auth-ID",
        TUNNEL_SERVER_AUTH_ID => "Tunnel-Server-Auth-ID",
        NAS_IPV6_ADDRESS => "NAS-IPv6-Address",
        FRAMED_INTERFACE_ID => "Framed-Interface-Id",
        FRAMED_IPV6_PREFIX => "Framed-IPv6-Prefix",
        ERROR_CAUSE => "Error-Cause",
        DELEGATED_IPV6_PREFIX => "Delegated-IPv6-Prefix",
        OPERATOR_NAME => "Operator-Name",
        _ => return None,
    })
}
