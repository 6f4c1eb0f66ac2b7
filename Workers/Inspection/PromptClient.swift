import Curl

extension CurlClient {
    /// The one client of the process for its management API and its orchestrator.
    package static let prompt = CurlClient()
}

extension CurlRequest {
    /// A request of somebody who waits at a screen: that nobody is there is known soon.
    package static func prompt(_ method: String, _ url: String, within limit: Duration) -> CurlRequest {
        var request = CurlRequest(method, url)
        request.timeout = limit
        request.connectTimeout = .seconds(2)
        return request
    }
}
