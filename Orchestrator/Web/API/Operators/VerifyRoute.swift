import Hummingbird
import Verification
import WebKit

/// The route by which operators ask whether the fleet has kept its promises.
///
/// Whoever asks while a verification runs gets its answer: a second one would only slow the first.
package struct VerifyRoute: Sendable {
    let verification: SharedVerification

    package init(verification: SharedVerification) {
        self.verification = verification
    }

    func add(to ops: RouterGroup<some RequestContext>) {
        ops.get("verify") { request, _ in
            let isSettled = try QueryReader(request).choice("settled", among: ["true", "false"]) == "true"
            return Response.json(200, try await verification.report(settled: isSettled))
        }
    }
}
