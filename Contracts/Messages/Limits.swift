/// Every bound on what the world may send, in one place.
package enum Limits {
    package static let messageBytes = 64 * 1024
    package static let eventBodyBytes = 1024 * 1024
    package static let requestBodyBytes = 64 * 1024
    package static let quantity = 1...10
    package static let holdSeconds = 1...3_600
    package static let textLength = 200
    package static let identifierLength = 128
    package static let seatNameLength = 32
    package static let emailLength = 254
    package static let paymentMethodLength = 64
    package static let idempotencyKeyLength = 255
    package static let replyToLength = 255
    package static let tiers = 1...50
    package static let tierCapacity = 1...1_000_000
    package static let priceMinor: ClosedRange<Int64> = 0...100_000_000
    package static let seatsPerStockMessage = 1_000
    package static let pageSize = 1...200
    package static let deadLettersAtOnce = 1...5_000
    package static let preferWaitSeconds = 30
    package static let radiusKilometres = 0.1...20_000
}
