//! Copies of packets, in slabs by size: a request's upstream bytes while it may have to be repeated, then its reply.
//!
//! Slabs grow in chunks and never shrink; what is given back is used again, so that after warm-up nothing is allocated.

/// Octets of a slot in each class; the last holds any packet.
const CLASSES: [usize; 6] = [128, 256, 384, 768, 1536, 4096];
/// Octets that a class grows by.
const CHUNK: usize = 64 * 1024;

/// A stored copy. Not `Clone`: whoever has it gives it back, once.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    class: u8,
    len: u16,
    slot: u32,
}

#[derive(Debug, Default)]
struct Class {
    chunks: Vec<Box<[u8]>>,
    free: Vec<u32>,
}

/// The slabs of one worker.
#[derive(Debug, Default)]
pub struct Store {
    classes: [Class; CLASSES.len()],
}

impl Store {
    /// Copies `bytes`, of which only the first 4096 octets are kept: no RADIUS packet is longer.
    pub fn put(&mut self, bytes: &[u8]) -> Stored {
        let bytes = &bytes[..bytes.len().min(CLASSES[CLASSES.len() - 1])];
        let index = CLASSES.iter().position(|size| bytes.len() <= *size).unwrap_or(CLASSES.len() - 1);
        let (class, size) = (&mut self.classes[index], CLASSES[index]);
        if class.free.is_empty() {
            class.grow(size);
        }
        let slot = class.free.pop().unwrap_or(0);
        class.slot_mut(size, slot)[..bytes.len()].copy_from_slice(bytes);
        Stored { class: index as u8, len: bytes.len() as u16, slot }
    }

    /// The bytes of a copy.
    pub fn bytes(&self, stored: &Stored) -> &[u8] {
        let size = CLASSES[stored.class as usize];
        &self.classes[stored.class as usize].slot(size, stored.slot)[..stored.len as usize]
    }

    /// Puts `bytes` in the place of an older copy.
    pub fn replace(&mut self, stored: &mut Stored, bytes: &[u8]) {
        let size = CLASSES[stored.class as usize];
        if bytes.len() <= size {
            self.classes[stored.class as usize].slot_mut(size, stored.slot)[..bytes.len()].copy_from_slice(bytes);
            stored.len = bytes.len() as u16;
        } else {
            let old = std::mem::replace(stored, self.put(bytes));
            self.give_back(old);
        }
    }

    /// Overwrites the first octets of a copy, `reach` of them or as many as there are, with those of `bytes`.
    pub fn overwrite_start(&mut self, stored: &Stored, bytes: &[u8], reach: usize) {
        let size = CLASSES[stored.class as usize];
        let reach = reach.min(bytes.len()).min(stored.len as usize);
        self.classes[stored.class as usize].slot_mut(size, stored.slot)[..reach].copy_from_slice(&bytes[..reach]);
    }

    /// Makes the slot free again.
    pub fn give_back(&mut self, stored: Stored) {
        self.classes[stored.class as usize].free.push(stored.slot);
    }

    /// Copies that have not been given back.
    pub fn held(&self) -> usize {
        let slots = |(class, size): (&Class, usize)| class.chunks.len() * (CHUNK / size) - class.free.len();
        self.classes.iter().zip(CLASSES).map(slots).sum()
    }

    #[cfg(test)]
    fn allocated(&self) -> usize {
        self.classes.iter().flat_map(|class| &class.chunks).map(|chunk| chunk.len()).sum()
    }
}

impl Class {
    fn grow(&mut self, size: usize) {
        let slots = CHUNK / size;
        let first = (self.chunks.len() * slots) as u32;
        self.chunks.push(vec![0; slots * size].into());
        self.free.extend((first..first + slots as u32).rev());
        // Room for every slot there is: giving back never allocates.
        self.free.reserve(self.chunks.len() * slots - self.free.len());
    }

    fn slot(&self, size: usize, slot: u32) -> &[u8] {
        let slots = CHUNK / size;
        let at = slot as usize % slots * size;
        &self.chunks[slot as usize / slots][at..at + size]
    }

    fn slot_mut(&mut self, size: usize, slot: u32) -> &mut [u8] {
        let slots = CHUNK / size;
        let at = slot as usize % slots * size;
        &mut self.chunks[slot as usize / slots][at..at + size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_every_length_come_back_whole_and_slots_are_used_again() {
        let mut store = Store::default();
        for round in 0..3u8 {
            let kept: Vec<_> =
                (20..=4096usize).step_by(13).map(|len| store.put(&vec![len as u8 ^ round; len])).collect();
            for stored in &kept {
                let bytes = store.bytes(stored);
                assert!(bytes.iter().all(|octet| *octet == bytes.len() as u8 ^ round));
            }
            kept.into_iter().for_each(|stored| store.give_back(stored));
        }
        let allocated = store.allocated();
        let kept = store.put(&[7; 100]);
        assert_eq!((store.allocated(), store.bytes(&kept)), (allocated, &[7; 100][..]));
    }

    #[test]
    fn a_longer_copy_moves_to_a_larger_class() {
        let mut store = Store::default();
        let mut stored = store.put(&[1; 60]);
        store.replace(&mut stored, &[2; 1000]);
        assert_eq!(store.bytes(&stored), [2; 1000]);
        store.replace(&mut stored, &[3; 20]);
        assert_eq!(store.bytes(&stored), [3; 20]);
    }
}
