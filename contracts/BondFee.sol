// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Head} from "./Head.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title The fee that bonds and rewards are reckoned with
/// @dev Spec section 8.2.
abstract contract BondFee is LifeboatBase {
    using Head for uint256;

    /// @dev F of spec 8.2, in wei.
    function _bondFee() internal view returns (uint256) {
        uint256 base = _gwei(block.basefee);
        uint256 h = _head;
        uint256 slow = _decayed(h.slowFeeGwei(), block.timestamp - h.newestTime()) / 2;
        if (slow > 16 * base) slow = 16 * base;
        if (slow > base) base = slow;
        return (base == 0 ? 1 : base) * 1 gwei;
    }

    /// @dev What a reward's gas is paid at, in wei.
    function _rewardFee() internal view returns (uint256) {
        return block.basefee > 1 gwei ? block.basefee : 1 gwei;
    }

    function _decayed(uint256 feeGwei, uint256 elapsed) internal pure returns (uint256) {
        uint256 days_ = elapsed / 1 days;
        if (days_ >= 64) return 0;
        uint256 atDay = feeGwei >> days_;
        return atDay - atDay * (elapsed % 1 days) / 2 days;
    }

    function _gwei(uint256 wei_) internal pure returns (uint256) {
        return (wei_ + 1 gwei - 1) / 1 gwei;
    }
}
