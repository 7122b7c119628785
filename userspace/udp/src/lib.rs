//! UDP in batches: recvmmsg, sendmmsg, SO_REUSEPORT selection.
