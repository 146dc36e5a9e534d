// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Hashes of recent L1 blocks
library AnchorHash {
    /// @dev EIP-2935: serves the hashes of the last 8,191 blocks.
    address private constant BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @return canonical The hash of an earlier L1 block; 0 if L1 no longer knows it. BLOCKHASH knows 256 blocks and costs 20 gas;
    /// EIP-2935 costs about 5,000.
    function read(uint256 number) internal view returns (bytes32 canonical) {
        canonical = blockhash(number);
        if (canonical != 0) return canonical;
        (bool ok, bytes memory reply) = BLOCK_HASHES.staticcall(abi.encode(number));
        if (ok && reply.length == 32) canonical = abi.decode(reply, (bytes32));
    }
}
