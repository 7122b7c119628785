//! The compression function of MD5 over several messages at once.
//!
//! One MD5 is a chain of additions and rotations, each waiting for the last; a processor has room for several such
//! chains side by side. Here a word of the state has a lane for each message, and every step is the same operation
//! on all lanes. With two vectors of four lanes, the second fills the time in which the first waits for its own
//! results. (A loop over `[u32; N]` is what one would like to write, but the compiler takes it apart into scalars.)

use std::array::from_fn;

use wide::u32x4;

use super::BLOCK;

/// Messages digested side by side: where two chains keep the processor busy.
pub const LANES: usize = 8;

/// The sines of RFC 1321 §3.4.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// Runs the compression function (RFC 1321 §3.4) over one block of each of `V` times four messages. `state[i]` is the
/// state of message `i`.
pub fn compress_lanes<const V: usize>(state: &mut [[[u32; 4]; 4]; V], blocks: &[[[u8; BLOCK]; 4]; V]) {
    let words: [[u32x4; V]; 16] = load(blocks);
    let before: [[u32x4; V]; 4] = columns(&from_fn(|v| u32x4::transpose(state[v].map(u32x4::new))));
    let [mut a, mut b, mut c, mut d] = before;

    macro_rules! round {
        ($f:ident, $first:literal, $k:expr, $($rotation:literal),*) => {
            for i in (0..16).step_by(4) {
                let t = |j: usize| -> [u32x4; V] {
                    let sine = u32x4::splat(SINES[$first + i + j]);
                    words[$k(i + j) % 16].map(|word| word + sine)
                };
                round!(@ $f, t, $($rotation),*);
            }
        };
        (@ $f:ident, $t:ident, $s0:literal, $s1:literal, $s2:literal, $s3:literal) => {
            a = from_fn(|v| step::<$s0>(a[v], b[v], $t(0)[v], $f(b[v], c[v], d[v])));
            d = from_fn(|v| step::<$s1>(d[v], a[v], $t(1)[v], $f(a[v], b[v], c[v])));
            c = from_fn(|v| step::<$s2>(c[v], d[v], $t(2)[v], $f(d[v], a[v], b[v])));
            b = from_fn(|v| step::<$s3>(b[v], c[v], $t(3)[v], $f(c[v], d[v], a[v])));
        };
    }
    round!(f, 0, |i| i, 7, 12, 17, 22);
    round!(g, 16, |i| 5 * i + 1, 5, 9, 14, 20);
    round!(h, 32, |i| 3 * i + 5, 4, 11, 16, 23);
    round!(i, 48, |i| 7 * i, 6, 10, 15, 21);

    for v in 0..V {
        let after = [a, b, c, d].map(|word| word[v]);
        state[v] = u32x4::transpose(from_fn(|i| after[i] + before[i][v])).map(u32x4::to_array);
    }
}

/// The words of each block, each with a lane for each message.
#[inline(always)]
fn load<const V: usize>(blocks: &[[[u8; BLOCK]; 4]; V]) -> [[u32x4; V]; 16] {
    let mut words = [[u32x4::new([0; 4]); V]; 16];
    for (v, blocks) in blocks.iter().enumerate() {
        for quarter in 0..4 {
            let rows = from_fn(|lane| {
                let row = &blocks[lane][quarter * 16..][..16];
                u32x4::new(from_fn(|i| {
                    u32::from_le_bytes([row[i * 4], row[i * 4 + 1], row[i * 4 + 2], row[i * 4 + 3]])
                }))
            });
            for (i, word) in u32x4::transpose(rows).into_iter().enumerate() {
                words[quarter * 4 + i][v] = word;
            }
        }
    }
    words
}

#[inline(always)]
fn columns<const V: usize>(rows: &[[u32x4; 4]; V]) -> [[u32x4; V]; 4] {
    from_fn(|i| from_fn(|v| rows[v][i]))
}

#[inline(always)]
fn step<const ROTATION: u32>(a: u32x4, b: u32x4, t: u32x4, f: u32x4) -> u32x4 {
    let sum = a + t + f;
    ((sum << ROTATION) | (sum >> (32 - ROTATION))) + b
}

#[inline(always)]
fn f(x: u32x4, y: u32x4, z: u32x4) -> u32x4 {
    (x & y) | (z & !x)
}

#[inline(always)]
fn g(x: u32x4, y: u32x4, z: u32x4) -> u32x4 {
    // The two sides share no bit, and a sum waits for `x` one operation less than an "or" before the sum.
    (y & !z) + (x & z)
}

#[inline(always)]
fn h(x: u32x4, y: u32x4, z: u32x4) -> u32x4 {
    (y ^ z) ^ x
}

#[inline(always)]
fn i(x: u32x4, y: u32x4, z: u32x4) -> u32x4 {
    y ^ (x | !z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_is_the_scalar_function() {
        let mut state: [[[u32; 4]; 4]; 2] =
            from_fn(|v| from_fn(|lane| from_fn(|i| (v * 16 + lane * 4 + i) as u32 * 0x0101_4567)));
        let blocks: [[[u8; BLOCK]; 4]; 2] =
            from_fn(|v| from_fn(|lane| from_fn(|i| (v * 101 + lane * 37 + i * 3) as u8)));
        for _ in 0..3 {
            let mut expected = state;
            for (state, block) in expected.as_flattened_mut().iter_mut().zip(blocks.as_flattened()) {
                md5::block_api::compress(state, &[*block]);
            }
            compress_lanes(&mut state, &blocks);
            assert_eq!(state, expected);
        }
    }
}
