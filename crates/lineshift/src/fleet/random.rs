//! Numbers that look random and are the same for the same input on every machine (SplitMix64).

/// Mixes several numbers into one.
pub(super) fn mixed(parts: &[u64]) -> u64 {
    parts
        .iter()
        .fold(0x9e37_79b9_7f4a_7c15, |state, part| finalized(state.wrapping_add(*part).wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

const fn finalized(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
