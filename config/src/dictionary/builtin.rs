//! The dictionaries that are built in: `config/dictionaries`.

/// Their names and texts. An attribute comes before what names its values in another file.
pub(super) const FILES: [(&str, &str); 14] = [
    ("rfc-base.dictionary", include_str!("../../dictionaries/rfc-base.dictionary")),
    ("rfc-tunnel.dictionary", include_str!("../../dictionaries/rfc-tunnel.dictionary")),
    ("rfc-access.dictionary", include_str!("../../dictionaries/rfc-access.dictionary")),
    ("rfc-digest.dictionary", include_str!("../../dictionaries/rfc-digest.dictionary")),
    ("rfc-extended.dictionary", include_str!("../../dictionaries/rfc-extended.dictionary")),
    ("microsoft.dictionary", include_str!("../../dictionaries/microsoft.dictionary")),
    ("cisco.dictionary", include_str!("../../dictionaries/cisco.dictionary")),
    ("3gpp.dictionary", include_str!("../../dictionaries/3gpp.dictionary")),
    ("3gpp2.dictionary", include_str!("../../dictionaries/3gpp2.dictionary")),
    ("juniper.dictionary", include_str!("../../dictionaries/juniper.dictionary")),
    ("nokia.dictionary", include_str!("../../dictionaries/nokia.dictionary")),
    ("dsl-forum.dictionary", include_str!("../../dictionaries/dsl-forum.dictionary")),
    ("huawei.dictionary", include_str!("../../dictionaries/huawei.dictionary")),
    ("wimax.dictionary", include_str!("../../dictionaries/wimax.dictionary")),
];
