// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LifeboatBase} from "./LifeboatBase.sol";

/// @title Code that runs in the root contract by DELEGATECALL
/// @dev Spec section 9.4. Chosen once, in the root's constructor; it has no storage of its own and refuses to be called directly.
abstract contract Module is LifeboatBase {
    address private immutable SELF = address(this);
    /// @dev The root's constructor compares it, so that both count with the same periods.
    bytes32 public immutable PARAMETERS_HASH;

    constructor(Parameters memory p) LifeboatBase(p) {
        PARAMETERS_HASH = keccak256(abi.encode(p));
    }

    modifier onlyDelegated() {
        if (address(this) == SELF) revert DirectCall();
        _;
    }
}
