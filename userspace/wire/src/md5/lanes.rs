//! The compression function of MD5 over several messages at once.
//!
//! One MD5 is a chain of additions and rotations, each waiting for the last; a processor has room for several such
//! chains side by side. Here a word of the state has a lane for each message, and every step is the same operation
//! on all lanes. With two vectors of four lanes, the second fills the time in which the first waits for its own
//! results. (A loop over `[u32; N]` is what one would like to write, but the compiler takes it apart into scalars.)

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
    let words = load(blocks);
    let mut before = [[u32x4::ZERO; V]; 4];
    for (v, state) in state.iter().enumerate() {
        let [s0, s1, s2, s3] = *state;
        let columns = u32x4::transpose([u32x4::new(s0), u32x4::new(s1), u32x4::new(s2), u32x4::new(s3)]);
        for i in 0..4 {
            before[i][v] = columns[i];
        }
    }
    let [mut a, mut b, mut c, mut d] = before;

    macro_rules! four {
        ($f:ident, [$s0:literal, $s1:literal, $s2:literal, $s3:literal], $i:literal,
         [$k0:literal, $k1:literal, $k2:literal, $k3:literal]) => {
            a = step::<$s0, V>(a, b, &words[$k0], SINES[$i], $f(b, c, d));
            d = step::<$s1, V>(d, a, &words[$k1], SINES[$i + 1], $f(a, b, c));
            c = step::<$s2, V>(c, d, &words[$k2], SINES[$i + 2], $f(d, a, b));
            b = step::<$s3, V>(b, c, &words[$k3], SINES[$i + 3], $f(c, d, a));
        };
    }
    // Round 1.
    four!(f, [7, 12, 17, 22], 0, [0, 1, 2, 3]);
    four!(f, [7, 12, 17, 22], 4, [4, 5, 6, 7]);
    four!(f, [7, 12, 17, 22], 8, [8, 9, 10, 11]);
    four!(f, [7, 12, 17, 22], 12, [12, 13, 14, 15]);
    // Round 2.
    four!(g, [5, 9, 14, 20], 16, [1, 6, 11, 0]);
    four!(g, [5, 9, 14, 20], 20, [5, 10, 15, 4]);
    four!(g, [5, 9, 14, 20], 24, [9, 14, 3, 8]);
    four!(g, [5, 9, 14, 20], 28, [13, 2, 7, 12]);
    // Round 3.
    four!(h, [4, 11, 16, 23], 32, [5, 8, 11, 14]);
    four!(h, [4, 11, 16, 23], 36, [1, 4, 7, 10]);
    four!(h, [4, 11, 16, 23], 40, [13, 0, 3, 6]);
    four!(h, [4, 11, 16, 23], 44, [9, 12, 15, 2]);
    // Round 4.
    four!(i, [6, 10, 15, 21], 48, [0, 7, 14, 5]);
    four!(i, [6, 10, 15, 21], 52, [12, 3, 10, 1]);
    four!(i, [6, 10, 15, 21], 56, [8, 15, 6, 13]);
    four!(i, [6, 10, 15, 21], 60, [4, 11, 2, 9]);

    for (v, state) in state.iter_mut().enumerate() {
        let [a0, b0, c0, d0] = before;
        let [s0, s1, s2, s3] = u32x4::transpose([a[v] + a0[v], b[v] + b0[v], c[v] + c0[v], d[v] + d0[v]]);
        *state = [s0.to_array(), s1.to_array(), s2.to_array(), s3.to_array()];
    }
}

/// The words of each block, each with a lane for each message.
#[inline(always)]
fn load<const V: usize>(blocks: &[[[u8; BLOCK]; 4]; V]) -> [[u32x4; V]; 16] {
    let mut words = [[u32x4::ZERO; V]; 16];
    for (v, blocks) in blocks.iter().enumerate() {
        for quarter in 0..4 {
            let mut rows = [u32x4::ZERO; 4];
            for (row, block) in rows.iter_mut().zip(blocks) {
                let four: &[[u8; 4]] = block.as_chunks().0;
                let word = |i: usize| u32::from_le_bytes(four[quarter * 4 + i]);
                *row = u32x4::new([word(0), word(1), word(2), word(3)]);
            }
            let columns = u32x4::transpose(rows);
            for i in 0..4 {
                words[quarter * 4 + i][v] = columns[i];
            }
        }
    }
    words
}

#[inline(always)]
fn step<const ROTATION: u32, const V: usize>(
    mut a: [u32x4; V],
    b: [u32x4; V],
    word: &[u32x4; V],
    sine: u32,
    f: [u32x4; V],
) -> [u32x4; V] {
    for v in 0..V {
        let sum = a[v] + word[v] + u32x4::splat(sine) + f[v];
        a[v] = ((sum << ROTATION) | (sum >> (32 - ROTATION))) + b[v];
    }
    a
}

#[inline(always)]
fn f<const V: usize>(mut x: [u32x4; V], y: [u32x4; V], z: [u32x4; V]) -> [u32x4; V] {
    for v in 0..V {
        x[v] = (x[v] & y[v]) | (z[v] & !x[v]);
    }
    x
}

#[inline(always)]
fn g<const V: usize>(mut x: [u32x4; V], y: [u32x4; V], z: [u32x4; V]) -> [u32x4; V] {
    for v in 0..V {
        // The two sides share no bit, and a sum waits for `x` one operation less than an "or" before the sum.
        x[v] = (y[v] & !z[v]) + (x[v] & z[v]);
    }
    x
}

#[inline(always)]
fn h<const V: usize>(mut x: [u32x4; V], y: [u32x4; V], z: [u32x4; V]) -> [u32x4; V] {
    for v in 0..V {
        x[v] = (y[v] ^ z[v]) ^ x[v];
    }
    x
}

#[inline(always)]
fn i<const V: usize>(mut x: [u32x4; V], y: [u32x4; V], z: [u32x4; V]) -> [u32x4; V] {
    for v in 0..V {
        x[v] = y[v] ^ (x[v] | !z[v]);
    }
    x
}

#[cfg(test)]
mod tests {
    use std::array::from_fn;

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
