import Contracts

/// The seats of one hall: half the buyers name theirs, half take the best that are left, until the hall is full.
enum Hall {
    static func trials(_ sizes: Sizes) -> [Trial] {
        [Trial(scenario: "seats") { try await play($0, purchases: sizes.hallPurchases) }]
    }

    private static func play(_ stage: Stage, purchases: Int) async throws -> Findings {
        let seats = (0..<purchases * 2).map { "\($0 / 100 + 1)-\($0 % 100 + 1)" }
        let buyers = Buyers([try await stage.target.publishHall(seats: seats)])
        let wishes = (0..<purchases).map { number in
            var wish = buyers[number]
            guard number % 2 == 0 else { return wish }
            // Named seats are taken from the back of the hall, the best available from its front: both meet at the end.
            let last = seats.count - number
            wish.quantity = nil
            wish.seats = Array(seats[(last - 2)..<last])
            return wish
        }
        return try await Saturate.sell(try Rush(stage.target, wishes), stage)
    }
}
