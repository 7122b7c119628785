//! Keys: files of them, sealing, and rotation.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    thread,
};

use proptest::prelude::*;
use sekisho_registry::keys::{KeyError, KeyFileError, KeyRing, OVERHEAD};

const CONTEXT: &str = "account/c1/acme.example/alice";
const ONE: &str = "0001020304050607 08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn written(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn digits() -> String {
    ONE.replace(' ', "")
}

#[test]
fn what_was_sealed_opens_in_its_own_place_and_in_no_other() {
    let ring = KeyRing::generate().unwrap();
    let sealed = ring.seal(CONTEXT, b"hunter2").unwrap();
    assert_eq!(sealed.len(), b"hunter2".len() + OVERHEAD);
    assert_eq!(ring.open(CONTEXT, &sealed).unwrap().as_slice(), b"hunter2");
    for other in ["account/c1/acme.example/bob", "account/c2/acme.example/alice", "account/c1/acme.example/alice ", ""]
    {
        let error = ring.open(other, &sealed).unwrap_err();
        assert!(matches!(error, KeyError::Altered), "{error}");
        assert!(error.to_string().contains("another place"), "{error}");
        assert!(!error.to_string().contains("alice"), "a subscriber's name is in: {error}");
    }
}

#[test]
fn no_octet_of_a_sealed_secret_can_be_altered() {
    let ring = KeyRing::generate().unwrap();
    let sealed = ring.seal(CONTEXT, b"hunter2").unwrap();
    for i in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[i] ^= 1 << bit;
            let error = ring.open(CONTEXT, &altered).unwrap_err();
            match i {
                0 => assert!(matches!(error, KeyError::Version { .. }), "{error}"),
                1..5 => assert!(matches!(error, KeyError::UnknownKey { .. }), "{error}"),
                _ => assert!(matches!(error, KeyError::Altered), "{error}"),
            }
        }
    }
    for len in 0..sealed.len() {
        assert!(ring.open(CONTEXT, &sealed[..len]).is_err(), "cut off after {len}");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert!(ring.open(CONTEXT, &longer).is_err());
}

#[test]
fn the_same_secret_is_never_sealed_the_same_twice() {
    let ring = KeyRing::generate().unwrap();
    assert_ne!(ring.seal(CONTEXT, b"hunter2").unwrap(), ring.seal(CONTEXT, b"hunter2").unwrap());
}

#[test]
fn a_key_that_is_missing_is_named() {
    let (ring, other) = (KeyRing::generate().unwrap(), KeyRing::generate().unwrap());
    let sealed = ring.seal(CONTEXT, b"hunter2").unwrap();
    let error = other.open(CONTEXT, &sealed).unwrap_err().to_string();
    assert!(error.contains(&ring.current().to_string()) && error.contains(&other.current().to_string()), "{error}");
    assert!(!other.is_current(&sealed) && ring.is_current(&sealed));
    assert!(!ring.is_current(b"") && !ring.is_current(&[1; 20]));
}

#[test]
fn debug_shows_key_ids_and_nothing_of_a_key() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    written(&path, &digits(), 0o600);
    let ring = KeyRing::from_file(&path).unwrap();
    assert_eq!(format!("{ring:?}"), format!("KeyRing[{}]", ring.current()));
    assert!(!digits().contains(&ring.current().to_string()));
}

#[test]
fn a_key_file_is_created_once_for_its_owner_alone() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    let ring = KeyRing::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let sealed = ring.seal(CONTEXT, b"hunter2").unwrap();
    assert_eq!(KeyRing::from_file(&path).unwrap().open(CONTEXT, &sealed).unwrap().as_slice(), b"hunter2");
    let before = fs::read(&path).unwrap();
    assert!(matches!(KeyRing::create(&path), Err(KeyFileError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    let names: Vec<_> = fs::read_dir(at.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, ["keys"], "nothing else is left behind");
}

#[test]
fn a_dangling_link_is_not_written_through() {
    let at = tempfile::tempdir().unwrap();
    symlink(at.path().join("elsewhere"), at.path().join("keys")).unwrap();
    assert!(matches!(KeyRing::create(&at.path().join("keys")), Err(KeyFileError::Exists { .. })));
    assert!(!at.path().join("elsewhere").exists());
}

#[test]
fn a_rotated_key_seals_and_the_former_one_still_opens() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    let old = KeyRing::create(&path).unwrap();
    let sealed = old.seal(CONTEXT, b"hunter2").unwrap();
    let text = format!("# ours\n{}", fs::read_to_string(&path).unwrap());
    written(&path, &text, 0o640);
    let new = KeyRing::rotate(&path).unwrap();
    assert_ne!(new.current(), old.current());
    assert_eq!(new.ids().collect::<Vec<_>>(), [new.current(), old.current()]);
    assert!(!new.is_current(&sealed));
    assert_eq!(new.open(CONTEXT, &sealed).unwrap().as_slice(), b"hunter2");
    let anew = new.seal(CONTEXT, b"hunter2").unwrap();
    assert!(new.is_current(&anew));
    let error = old.open(CONTEXT, &anew).unwrap_err().to_string();
    assert!(error.contains("load the file anew"), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "the mode stays");
    assert!(fs::read_to_string(&path).unwrap().ends_with(&text), "what was there stays");
}

#[test]
fn a_rotation_changes_the_file_behind_a_link() {
    let at = tempfile::tempdir().unwrap();
    let (path, link) = (at.path().join("keys"), at.path().join("link"));
    KeyRing::create(&path).unwrap();
    symlink(&path, &link).unwrap();
    let ring = KeyRing::rotate(&link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(KeyRing::from_file(&path).unwrap().current(), ring.current());
}

#[test]
fn no_key_is_lost_where_many_rotate_at_once() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    KeyRing::create(&path).unwrap();
    let rings: Vec<KeyRing> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| KeyRing::rotate(&path).unwrap())).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let all: Vec<_> = KeyRing::from_file(&path).unwrap().ids().collect();
    assert_eq!(all.len(), 9);
    assert!(rings.iter().all(|ring| all.contains(&ring.current())));
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    for (mode, remedy) in [(0o644, "chmod 0640"), (0o604, "chmod 0600"), (0o660, "chmod 0640"), (0o666, "chmod 0640")] {
        written(&path, &digits(), mode);
        let error = KeyRing::from_file(&path).unwrap_err().to_string();
        assert!(error.contains(remedy), "{mode:o}: {error}");
        assert!(KeyRing::rotate(&path).is_err());
    }
    for mode in [0o600, 0o400, 0o640, 0o440] {
        written(&path, &digits(), mode);
        KeyRing::from_file(&path).unwrap();
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn comments_and_empty_lines_are_no_keys_and_anything_else_is_told_by_its_line() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    let one = digits();
    let two = one.replace("00", "ff").to_uppercase();
    written(&path, &format!("# the current one\n\n{one}\r\n  {two}  \n# end"), 0o600);
    assert_eq!(KeyRing::from_file(&path).unwrap().ids().count(), 2);
    let line = |text: &str| {
        written(&path, text, 0o600);
        match KeyRing::from_file(&path).unwrap_err() {
            KeyFileError::Line { line, .. } => line,
            error => panic!("{error}"),
        }
    };
    assert_eq!(line(&one[..62]), 1);
    assert_eq!(line(&format!("{one}\n{one}00")), 2);
    assert_eq!(line(&format!("{one}\n\nno key at all")), 3);
    assert_eq!(line(&one.replace('f', "g")), 1);
    written(&path, &format!("{one}\n{two}\n{one}\n"), 0o600);
    assert!(matches!(KeyRing::from_file(&path).unwrap_err(), KeyFileError::Twice { line: 3, first: 1, .. }));
    written(&path, "# none\n", 0o600);
    assert!(matches!(KeyRing::from_file(&path).unwrap_err(), KeyFileError::Empty { .. }));
    written(&path, &"#\n".repeat(40_000), 0o600);
    assert!(matches!(KeyRing::from_file(&path).unwrap_err(), KeyFileError::Long { .. }));
    assert!(matches!(KeyRing::from_file(at.path()).unwrap_err(), KeyFileError::NoFile { .. }));
    let missing = KeyRing::from_file(&at.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("openssl rand -hex 32"), "{missing}");
}

#[test]
fn no_message_shows_any_of_a_key() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("keys");
    for text in [format!("{}0", digits()), format!("{0}\n{0}", digits())] {
        written(&path, &text, 0o600);
        let error = KeyRing::from_file(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&digits()[..16]));
    }
}

#[test]
fn a_systemd_credential_is_read_like_a_file() {
    let at = tempfile::tempdir().unwrap();
    // systemd grants access by an access control list, whose mask shows as the group's bits.
    written(&at.path().join("registry.key"), &digits(), 0o440);
    KeyRing::from_credential_in(at.path(), "registry.key").unwrap();
    for name in ["other", "", "../registry.key", ".", "a/b"] {
        let error = KeyRing::from_credential_in(at.path(), name).unwrap_err();
        assert!(matches!(error, KeyFileError::Credential { .. }), "{name}: {error}");
    }
    written(&at.path().join("open"), &digits(), 0o644);
    assert!(matches!(KeyRing::from_credential_in(at.path(), "open"), Err(KeyFileError::Mode { .. })));
    // No service started this.
    let error = KeyRing::from_credential("registry.key").unwrap_err().to_string();
    assert!(error.contains("LoadCredential="), "{error}");
}

proptest! {
    #[test]
    fn anything_sealed_for_any_place_opens(context in ".*", plain in prop::collection::vec(any::<u8>(), 0..300)) {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(&context, &plain).unwrap();
        prop_assert_eq!(ring.open(&context, &sealed).unwrap().to_vec(), plain);
    }

    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..100)) {
        let ring = KeyRing::generate().unwrap();
        prop_assert!(ring.open(CONTEXT, &octets).is_err());
        prop_assert!(!ring.is_current(&octets));
    }
}
