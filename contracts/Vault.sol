// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title Deposits
/// @dev Spec sections 1.3 and 5.5. `funded` of a token counts what came in and what was released; a payment needs its place on the line
/// to be covered by it.
abstract contract Vault is LifeboatBase, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using Head for uint256;

    function depositEth(address owner) external payable nonReentrant returns (uint64) {
        return _deposit(owner, ETH, msg.value);
    }

    function depositErc20(address token, uint256 amount, address owner) external nonReentrant returns (uint64) {
        return _depositErc20(token, amount, owner);
    }

    function depositErc20WithPermit(
        address token,
        uint256 amount,
        address owner,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint64) {
        _requireCode(token);
        // A permit seen in the mempool can be used by anyone first; the allowance is then there all the same.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _depositErc20(token, amount, owner);
    }

    function _depositErc20(address token, uint256 amount, address owner) private returns (uint64) {
        _requireCode(token);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        return _deposit(owner, token, IERC20(token).balanceOf(address(this)) - before);
    }

    function _requireCode(address token) private view {
        if (token.code.length == 0) revert TokenUnsupported(token);
    }

    /// @dev The number of deposits between two blocks is limited by 2^20, about 60 billion gas; the next block opens a new range.
    function _deposit(address owner, address token, uint256 amount) private returns (uint64 position) {
        if (owner == address(0)) revert NotOwner(owner, msg.sender);
        if (amount == 0 || amount > type(uint128).max) revert AmountOutOfRange(amount);
        uint256 h = _head;
        _requireLive(h);
        if (h.depositCount() >= DEPOSIT_INDEX) revert TooManyDeposits(h.newest());
        _head = h.withDeposit();
        position = uint64((h.newest() << 25) | ((DEPOSIT_INDEX + h.depositCount()) << 4));
        _deposits[position] = DepositRecord(Hashing.deposit(owner, token, amount), uint40(block.number));
        uint256 funded = uint256(_totals[token].funded) + amount;
        if (funded > type(uint128).max) revert LedgerFull(token);
        _totals[token].funded = uint128(funded);
        emit Deposited(position, owner, token, uint128(amount));
    }
}
