import CoreMetrics
import FleetRuntime
import Hummingbird
import Synchronization

/// Counts and times requests by route, method and status: a bounded set, for routes come from code.
package final class RequestMeter<Context: RequestContext>: RouterMiddleware {
    private let inFlight = Atomic<Int>(0)

    package init(_ metrics: PrometheusRegistry) {
        metrics.gather { [self] in
            [Sample(.httpRequestsInFlight, Double(inFlight.load(ordering: .relaxed)))]
        }
    }

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        inFlight.add(1, ordering: .relaxed)
        defer { inFlight.subtract(1, ordering: .relaxed) }
        let started = ContinuousClock.now
        let response = try await next(request, context)
        Metric.httpRequestDuration.timer([
            ("route", context.endpointPath ?? "none"), ("method", Self.known(request.method)),
            ("status", "\(response.status.code)"),
        ]).recordNanoseconds((ContinuousClock.now - started).nanoseconds)
        return response
    }

    private static func known(_ method: HTTPRequest.Method) -> String {
        [.get, .head, .post, .put, .delete, .patch, .options].contains(method) ? method.rawValue : "other"
    }
}
