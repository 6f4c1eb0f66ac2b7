import Curl
import Foundation

/// Talks to RabbitMQ's management API for what AMQP cannot do: virtual hosts, policies, closing connections.
package struct ManagementAPI: Sendable {
    private let base: URLComponents

    package init() throws {
        guard let url = TestServers.managementURL, let base = URLComponents(string: url) else {
            throw MissingServer(name: "AMQP_MANAGEMENT_URL")
        }
        self.base = base
    }

    /// `path` is already percent-encoded.
    @discardableResult
    package func call(_ method: String, _ path: String, body: String? = nil) async throws -> Data {
        var target = base
        target.user = nil
        target.password = nil
        target.percentEncodedPath = "/api" + path
        guard let url = target.string else { throw MissingServer(name: "AMQP_MANAGEMENT_URL") }
        var request = CurlRequest(method, url, body: body.map { Data($0.utf8) })
        request.timeout = .seconds(60)
        request.bodyLimit = 16 << 20
        let credentials = Data("\(base.user ?? ""):\(base.password ?? "")".utf8).base64EncodedString()
        request.headers = ["Content-Type": "application/json", "Authorization": "Basic \(credentials)"]
        let response = try await CurlClient.ofTests.send(request)
        guard response.status < 300 else {
            throw ManagementFailure(what: "\(method) \(path): \(String(decoding: response.body, as: UTF8.self))")
        }
        return response.body
    }

    package var user: String { base.user ?? "guest" }
}

package struct ManagementFailure: Error {
    package let what: String
}

/// Makes a virtual host with the fleet's policies, lends its AMQP URL to `body`, and deletes it.
package func withTestBroker<R>(_ body: (String) async throws -> R) async throws -> R {
    guard let server = TestServers.brokerURL, var location = URLComponents(string: server) else {
        throw MissingServer(name: "AMQP_URL")
    }
    let api = try ManagementAPI()
    let name = uniqueName("test")
    try await api.call("PUT", "/vhosts/\(name)", body: "{}")
    try await api.call(
        "PUT", "/permissions/\(name)/\(api.user)", body: #"{"configure":".*","write":".*","read":".*"}"#)
    for policy in try policies() {
        try await api.call("PUT", "/policies/\(name)/\(policy.name)", body: policy.body)
    }
    location.path = "/\(name)"
    guard let url = location.string else { throw MissingServer(name: "AMQP_URL") }
    do {
        let result = try await body(url)
        try await api.call("DELETE", "/vhosts/\(name)")
        return result
    } catch {
        try await api.call("DELETE", "/vhosts/\(name)")
        throw error
    }
}

/// The policies that the fleet's own broker is configured with.
private func policies() throws -> [(name: String, body: String)] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../compose/rabbitmq/definitions.json")
    let definitions = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    return try (definitions?["policies"] as? [[String: Any]] ?? []).compactMap { policy in
        guard let name = policy["name"] as? String else { return nil }
        let body = policy.filter { ["pattern", "apply-to", "priority", "definition"].contains($0.key) }
        return (name, String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self))
    }
}
