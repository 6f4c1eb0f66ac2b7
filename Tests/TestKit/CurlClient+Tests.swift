import Curl

extension CurlClient {
    /// The client of everything that a test process asks over HTTP, with room for many who wait for long answers at once.
    package static let ofTests: CurlClient = {
        var configuration = CurlConfiguration()
        configuration.transferLimit = 1_024
        configuration.transferLimitPerOrigin = 512
        return CurlClient(configuration)
    }()
}
