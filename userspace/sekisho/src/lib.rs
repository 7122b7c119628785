//! RADIUS proxy behind an XDP gate, for carriers that sell authentication as a service.
