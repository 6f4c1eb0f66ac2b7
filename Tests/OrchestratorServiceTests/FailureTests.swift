import Operations
import OrchestratorService
import Testing

/// What operators see as one failure.
struct `The fingerprint of a failure` {
    private func fingerprint(_ reason: String, kind: String? = "payment.charge.v1") -> String {
        Failure.fingerprint(queue: "payment.commands", kind: kind, reason: reason)
    }

    @Test func `does not depend on ids, numbers and quotations`() {
        #expect(fingerprint(#"failed: no row 17 in "charge""#) == fingerprint(#"failed: no row 4 in "attempt""#))
        #expect(
            fingerprint("no saga 0198f0a2-7c00-7000-8000-000000000001")
                == fingerprint("no saga 0198f0a2-7c00-7000-8000-000000000002"))
    }

    @Test func `depends on words, kind and queue`() {
        #expect(fingerprint("permission denied") != fingerprint("connection refused"))
        #expect(fingerprint("permission denied") != fingerprint("permission denied", kind: "payment.close.v1"))
        #expect(
            fingerprint("x", kind: nil)
                != Failure.fingerprint(queue: "expiry.commands", kind: nil, reason: "x"))
    }

    @Test func `is twelve characters that fit into an address`() {
        let text = fingerprint("any reason")
        #expect(text.count == 12)
        let isHexadecimal = text.allSatisfy { $0.isHexDigit }
        #expect(isHexadecimal)
    }
}
